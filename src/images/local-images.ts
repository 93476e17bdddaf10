import { type Clock, type Digest, systemClock } from "../base/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import { familiarReference, type Platform } from "../spec/mod.ts";
import type { ReadTransaction, Store } from "../store/mod.ts";
import type { Artifacts } from "./artifacts.ts";
import { Assembly } from "./assembly.ts";
import { type CheckedImage, checkImage } from "./check.ts";
import { commitContainer } from "./commit.ts";
import type { Context } from "./context.ts";
import { compare } from "./diff/diff.ts";
import type { Difference, TreeSource } from "./diff/difference.ts";
import type { Distribution } from "./distribution.ts";
import type { Documents } from "./documents.ts";
import { imageEvent } from "./events.ts";
import { type HistoryLine, imageHistory } from "./history.ts";
import type { ImageAccounts, ImageHistory } from "./image-history.ts";
import type {
  CommitRequest,
  Image,
  ImageEvent,
  ImageFilters,
  Images,
  ImageUsers,
  ImportRequest,
  OnProgress,
  RemoveResult,
} from "./images.ts";
import { importImage } from "./import.ts";
import { type Collected, Keeper, type Needs } from "./keeper.ts";
import { selectImages } from "./list.ts";
import { loadArchive } from "./load/load.ts";
import { imageLog, type LogEntry } from "./log.ts";
import {
  archiveImages,
  type ImageLayer,
  type ImageMaker,
  layersOfImage,
  type MakeRequest,
  makeImage,
  nameTogether,
} from "./making.ts";
import { imageKind } from "./objects.ts";
import { hostPlatform, parsePlatform, requirePlatform } from "./platform.ts";
import { PruneGate, type PruneOptions, pruneImages } from "./prune.ts";
import { markTagged, setTag } from "./record.ts";
import { defaultSettings, type RegistrySettings } from "./registry/settings.ts";
import { RemoteImages } from "./remote-images.ts";
import { removeImage } from "./remove.ts";
import { findImage, namedPointer, newTagReference, resolveFor, resolveImage } from "./resolve.ts";
import { saveImages } from "./save.ts";
import { type RollbackTarget, rollbackTag, type TagHistoryEntry, tagHistory } from "./tag-history.ts";
import { type Account, accounts, type DiskUsage, diskUsage } from "./usage.ts";
import { viewImage } from "./view.ts";

export interface ImagesOptions {
  readonly store: Store;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly users: ImageUsers;
  readonly clock?: Clock;
  readonly platform?: Platform;
  /** Milliseconds that a removed image can still be rolled back to; its bytes stay as long. Default 0. */
  readonly retention?: number;
  /** Default: no mirrors, only loopback registries without TLS. */
  readonly registries?: RegistrySettings;
  /** Blobs and layers that objects other than images need. */
  readonly otherNeeds?: (tx: ReadTransaction) => Needs;
}

const NOTHING: Needs = { blobs: new Set(), layers: new Set() };

/** The images of this machine, on its content store and snapshotter. */
export class LocalImages implements Images, ImageHistory, ImageAccounts, ImageMaker {
  /** These images to and from registries. */
  readonly distribution: Distribution;
  /** What is at registries beside images. */
  readonly artifacts: Artifacts;
  /** What is said about these images. */
  readonly documents: Documents;
  readonly #context: Context;
  readonly #pruneGate = new PruneGate();
  readonly #listeners = new Set<(event: ImageEvent) => void>();

  constructor(options: ImagesOptions) {
    const { store, content, snapshots, users, clock = systemClock, retention = 0 } = options;
    const context = {
      store,
      content,
      snapshots,
      users,
      clock,
      platform: options.platform ?? hostPlatform(),
      retention,
      otherNeeds: options.otherNeeds ?? (() => NOTHING),
      emit: (event: ImageEvent) => {
        for (const listener of this.#listeners) listener(event);
      },
    };
    this.#context = { ...context, keeper: new Keeper(context) };
    const remote = new RemoteImages(this.#context, options.registries ?? defaultSettings);
    this.distribution = remote;
    this.artifacts = remote.artifacts;
    this.documents = remote.documents;
  }

  resolve(nameOrId: string, platform?: string): Image {
    const wanted = platform ? parsePlatform(platform, this.#context.platform) : undefined;
    const image = this.#context.store.view((tx) => viewImage(tx, resolveFor(tx, nameOrId, wanted)));
    if (wanted) requirePlatform(nameOrId, image.config, wanted);
    return image;
  }

  find(nameOrId: string): Image | undefined {
    return this.#context.store.view((tx) => {
      const image = findImage(tx, nameOrId);
      return image && viewImage(tx, image);
    });
  }

  get(id: Digest): Image | undefined {
    return this.#context.store.view((tx) => {
      const image = tx.get(imageKind, id);
      return image && image.removedAt === undefined ? viewImage(tx, image) : undefined;
    });
  }

  list(filters: ImageFilters, all = false): readonly Image[] {
    return this.#context.store.view((tx) => selectImages(tx, filters, all));
  }

  async tag(nameOrId: string, repository: string, tag?: string): Promise<void> {
    const reference = newTagReference(repository, tag);
    const image = await this.#context.store.update((tx) => {
      const found = resolveImage(tx, nameOrId);
      const at = this.#context.clock.now();
      setTag(tx, reference, namedPointer(tx, nameOrId, found), { at, action: "tag" });
      markTagged(tx, found.id, at);
      return found;
    });
    this.#context.emit(imageEvent("tag", image, familiarReference(reference)));
  }

  remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly prune: boolean; readonly keep?: number },
  ): Promise<readonly RemoveResult[]> {
    return removeImage(this.#context, nameOrId, options);
  }

  prune(filters: PruneOptions): Promise<{ readonly removed: readonly RemoveResult[]; readonly reclaimed: number }> {
    return this.#pruneGate.run(() => pruneImages(this.#context, filters));
  }

  history(nameOrId: string): readonly HistoryLine[] {
    return this.#context.store.view((tx) => imageHistory(tx, nameOrId));
  }

  log(nameOrId: string): readonly LogEntry[] {
    return this.#context.store.view((tx) => imageLog(tx, nameOrId));
  }

  diff(before: string | TreeSource, after: string | TreeSource, signal?: AbortSignal): Promise<Difference> {
    return compare(this.#context, before, after, signal);
  }

  tagHistory(name: string): readonly TagHistoryEntry[] {
    return this.#context.store.view((tx) => tagHistory(tx, name));
  }

  async rollback(name: string, target: RollbackTarget): Promise<Image> {
    const { image } = await rollbackTag(this.#context, name, target);
    return this.resolve(image);
  }

  check(nameOrId: string, signal?: AbortSignal): Promise<CheckedImage> {
    return checkImage(this.#context, nameOrId, signal);
  }

  diskUsage(): DiskUsage {
    return diskUsage(this.#context);
  }

  why(): Promise<readonly Account[]> {
    return accounts(this.#context);
  }

  commit(request: CommitRequest): Promise<Digest> {
    return commitContainer(this.#context, request);
  }

  layersOf(id: Digest, signal?: AbortSignal): Promise<readonly ImageLayer[]> {
    return layersOfImage(this.#context, id, signal);
  }

  knows(id: Digest): boolean {
    return this.get(id) !== undefined;
  }

  digestOf(id: Digest): Digest | undefined {
    const image = this.get(id);
    const [named] = image?.digests ?? [];
    return named === undefined ? image?.manifest : (named.slice(named.indexOf("@") + 1) as Digest);
  }

  async layerFrom(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<ImageLayer> {
    using assembly = new Assembly(this.#context);
    return await assembly.layerFrom(parent, tar, signal);
  }

  make(request: MakeRequest): Promise<Image> {
    return makeImage(this.#context, request);
  }

  archive(
    requests: readonly MakeRequest[],
    use: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
    signal?: AbortSignal,
  ) {
    return archiveImages(this.#context, requests, use, signal);
  }

  nameTogether(names: readonly string[], ids: readonly Digest[]): Promise<Image> {
    return nameTogether(this.#context, names, ids);
  }

  collect(): Promise<Collected> {
    return this.#context.keeper.collect();
  }

  import(request: ImportRequest, progress: OnProgress, signal?: AbortSignal): Promise<Digest> {
    return importImage(this.#context, request, progress, signal);
  }

  load(archive: AsyncIterable<Uint8Array>, progress: OnProgress, signal?: AbortSignal): Promise<void> {
    return loadArchive(this.#context, archive, progress, signal);
  }

  save(names: readonly string[], signal?: AbortSignal): AsyncIterable<Uint8Array> {
    return saveImages(this.#context, names, signal);
  }

  onEvent(listener: (event: ImageEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }
}
