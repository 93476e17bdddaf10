import { type Clock, type Digest, HavreError, systemClock } from "../base/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import { familiarReference, type Platform, parseReference, withDefaultTag } from "../spec/mod.ts";
import type { Store } from "../store/mod.ts";
import { commitContainer } from "./commit.ts";
import type { Context } from "./context.ts";
import { imageEvent } from "./events.ts";
import { type HistoryLine, imageHistory } from "./history.ts";
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
import { type Collected, Keeper } from "./keeper.ts";
import { selectImages } from "./list.ts";
import { loadArchive } from "./load/load.ts";
import { imageKind } from "./objects.ts";
import { hostPlatform } from "./platform.ts";
import { PruneGate, type PruneOptions, pruneImages } from "./prune.ts";
import { markTagged, pointerTo, setTag } from "./record.ts";
import { removeImage } from "./remove.ts";
import { findImage, resolveImage } from "./resolve.ts";
import { saveImages } from "./save.ts";
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
}

/** The images of this machine, on its content store and snapshotter. */
export class LocalImages implements Images {
  readonly #context: Context;
  readonly #pruneGate = new PruneGate();
  readonly #listeners = new Set<(event: ImageEvent) => void>();

  constructor(options: ImagesOptions) {
    const { store, content, snapshots, users } = options;
    this.#context = {
      store,
      content,
      snapshots,
      users,
      clock: options.clock ?? systemClock,
      platform: options.platform ?? hostPlatform(),
      retention: options.retention ?? 0,
      keeper: new Keeper(store, content, snapshots),
      emit: (event) => {
        for (const listener of this.#listeners) listener(event);
      },
    };
  }

  resolve(nameOrId: string): Image {
    return this.#context.store.view((tx) => viewImage(tx, resolveImage(tx, nameOrId)));
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
    const reference = withDefaultTag(parseReference(tag ? `${repository}:${tag}` : repository));
    if (reference.digest !== undefined) {
      throw new HavreError("invalid-argument", "refusing to create a tag with a digest reference");
    }
    const image = await this.#context.store.update((tx) => {
      const found = resolveImage(tx, nameOrId);
      const at = this.#context.clock.now();
      setTag(tx, reference, pointerTo(found), { at, action: "tag" });
      markTagged(tx, found.id, at);
      return found;
    });
    this.#context.emit(imageEvent("tag", image, familiarReference(reference)));
  }

  remove(
    nameOrId: string,
    options: { readonly force: boolean; readonly prune: boolean },
  ): Promise<readonly RemoveResult[]> {
    return removeImage(this.#context, nameOrId, options);
  }

  prune(filters: PruneOptions): Promise<{ readonly removed: readonly RemoveResult[]; readonly reclaimed: number }> {
    return this.#pruneGate.run(() => pruneImages(this.#context, filters));
  }

  history(nameOrId: string): readonly HistoryLine[] {
    return this.#context.store.view((tx) => imageHistory(tx, nameOrId));
  }

  commit(request: CommitRequest): Promise<Digest> {
    return commitContainer(this.#context, request);
  }

  /** Removes every blob and layer that nothing needs: after a start, and whenever disk is wanted back. */
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
