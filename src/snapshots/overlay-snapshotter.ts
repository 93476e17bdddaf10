import { mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type Digest,
  digestOf,
  HavreError,
  KeyedMutex,
  type Logger,
  newId,
  silentLogger,
  Undoes,
} from "../base/mod.ts";
import {
  AT_FDCWD,
  bindMount,
  chmodAt,
  chownAt,
  mountInfo,
  mountOverlay,
  type OverlayRequest,
  releaseMount,
  statAt,
  type UserNamespace,
  unmount,
} from "../kernel/mod.ts";
import { LayerMaker } from "./layer-maker.ts";
import { sealOf } from "./layer-seal.ts";
import { Layers } from "./layers.ts";
import { MappedTrees } from "./mapped-trees.ts";
import { MOUNT_POINTS, makeMountPoints } from "./mount-points.ts";
import { NewLayers } from "./new-layers.ts";
import type { AppliedLayer, FileChange, LayerCheck, LayerSource, Mount, Snapshotter, Usage } from "./snapshots.ts";
import { DEFAULT_TAR_LIMITS, type TarLimits } from "./tar/header.ts";
import { Trash } from "./trash.ts";
import { shown, toBytes } from "./tree/names.ts";
import { LocalRunner } from "./work/runner.ts";
import { WorkerRunner } from "./work/worker-runner.ts";
import { WritableLayers } from "./writable.ts";

const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/**
 * Nothing of overlayfs that makes an upper folder depend on more than the layers below it. `xino`: one device number for
 * all files, whatever file systems the layers are: else `tar --one-file-system` and the like would pass over most.
 */
const OVERLAY_OPTIONS = ["redirect_dir=nofollow", "metacopy=off", "index=off", "xino=on"] as const;

/**
 * Layers below `<root>/snapshots`, as tars with an index or as plain folders; a container's tree as an overlay of them. One process at a
 * time.
 */
export class OverlaySnapshotter implements Snapshotter {
  readonly #folder: string;
  readonly #here = new LocalRunner();
  readonly #worker = new WorkerRunner();
  readonly #layers: Layers;
  readonly #writable: WritableLayers;
  readonly #mapped: MappedTrees;
  readonly #trash: Trash;
  readonly #mutex = new KeyedMutex();
  readonly #releases = new Map<string, Promise<void>>();
  readonly #log: Logger;
  readonly #maker: LayerMaker;
  readonly #newLayers: NewLayers;
  readonly #holds = new Set<Set<Digest>>();

  /**
   * `root` is the daemon's root folder; what is missing is made. Call `recover` before anything else. `limits`: what a
   * layer's archive may ask for. `layout`: how new layers are kept; undefined: indexed where the kernel can.
   */
  constructor(root: string, log: Logger = silentLogger, limits: TarLimits = DEFAULT_TAR_LIMITS, layout?: "unpacked") {
    this.#folder = join(root, "snapshots");
    this.#log = log;
    this.#maker = new LayerMaker(this.#worker, limits, this.#path("staging"), layout);
    for (const name of ["staging", "views", "empty"]) mkdirSync(this.#path(name), { recursive: true, mode: 0o755 });
    chmodAt(AT_FDCWD, this.#path("empty"), 0o755);
    makeMountPoints(this.#path(MOUNT_POINTS), this.#path("staging", newId()));
    const runners = { here: this.#here, worker: this.#worker };
    this.#layers = new Layers(this.#path("layers"), readFileSync(BOOT_ID, "utf8").trim(), runners);
    this.#newLayers = new NewLayers(this.#layers, this.#worker, log);
    this.#writable = new WritableLayers(this.#path("writable"));
    this.#mapped = new MappedTrees(this.#path("mapped"));
    this.#trash = new Trash(this.#path("trash"), runners, log);
  }

  async recover(): Promise<void> {
    const views = `${this.#path("views")}/`;
    for (const { mountPoint } of mountInfo().reverse()) {
      if (mountPoint.startsWith(views)) unmount(mountPoint, { detach: true });
    }
    for (const name of readdirSync(this.#path("views"))) this.#trash.take(this.#path("views", name));
    for (const name of readdirSync(this.#path("staging"))) this.#trash.take(this.#path("staging", name));
    for (const name of this.#layers.broken()) this.#trash.take(join(this.#layers.folder, name));
    for (const name of this.#writable.broken()) this.#trash.take(join(this.#writable.folder, name));
    this.#mapped.recover();
    this.#trash.resume();
    this.#newLayers.keep();
  }

  has(chainId: Digest): boolean {
    if (!this.#layers.has(chainId)) return false;
    this.#hold(chainId);
    return true;
  }

  async apply(
    parent: Digest | undefined,
    tar: LayerSource,
    diffId?: Digest,
    signal?: AbortSignal,
  ): Promise<AppliedLayer> {
    signal?.throwIfAborted();
    if (diffId === undefined) return this.#apply(parent, tar, undefined, signal);
    const chainId = chainIdOn(parent, diffId);
    return this.#mutex.run(chainId, async () => {
      if (!this.has(chainId)) return this.#apply(parent, tar, diffId, signal);
      if (!("file" in tar)) await tar[Symbol.asyncIterator]().return?.();
      return this.#layers.get(chainId);
    });
  }

  async #apply(
    parent: Digest | undefined,
    tar: LayerSource,
    diffId: Digest | undefined,
    signal: AbortSignal | undefined,
  ): Promise<AppliedLayer> {
    // The layer below must outlive the work.
    using hold = this.hold();
    void hold;
    for (const { chainId } of this.#layers.ancestry(parent)) this.#hold(chainId);
    return Undoes.run(async (undoes) => {
      const staged = this.#path("staging", newId());
      mkdirSync(join(staged, "fs"), { recursive: true, mode: 0o755 });
      undoes.add(() => this.#trash.take(staged));
      const { indexed, tree } = await this.#maker.make(staged, this.#layers.trees(parent), tar, signal);
      if (diffId !== undefined && tree.diffId !== diffId) {
        throw new HavreError(
          "data-loss",
          `A layer is not what was promised: its digest is ${tree.diffId}, not ${diffId}`,
        );
      }
      const chainId = chainIdOn(parent, tree.diffId);
      const { size, usage, opaque } = tree;
      const kept = indexed
        ? { indexed, seal: await sealOf(staged) }
        : { mark: await this.#layers.markOf(join(staged, "fs"), usage.inodes) };
      const record = { chainId, diffId: tree.diffId, parent, size, usage, opaque, ...kept };
      // Without a promised digest two calls may have made the same layer.
      if (this.#layers.has(chainId)) this.#trash.take(staged);
      else this.#layers.commit(staged, record);
      this.#newLayers.keep();
      this.#hold(chainId);
      return { diffId: tree.diffId, chainId, size };
    });
  }

  check(chainId: Digest, signal?: AbortSignal): Promise<LayerCheck> {
    return this.#layers.check(chainId, signal);
  }

  async prepare(key: string, parent: Digest | undefined): Promise<void> {
    this.#writable.check(key);
    const [top = this.#path(MOUNT_POINTS)] = this.#layers.trees(parent);
    const staged = this.#path("staging", newId());
    await Undoes.run(async (undoes) => {
      undoes.add(() => this.#trash.take(staged));
      this.#writable.create(staged, { key, parent }, (upper) => {
        const { uid, gid, mode } = statAt(AT_FDCWD, top);
        if (uid !== 0 || gid !== 0) chownAt(AT_FDCWD, upper, uid, gid);
        chmodAt(AT_FDCWD, upper, mode & 0o7777);
      });
    });
  }

  mounts(key: string): readonly Mount[] {
    const { lower, upper = "", work = "", options = [] } = this.#overlay(key);
    const trees = [`lowerdir=${lower.join(":")}`, `upperdir=${upper}`, `workdir=${work}`];
    return [{ type: "overlay", source: "overlay", options: [...trees, ...options] }];
  }

  async mount(key: string, owners?: UserNamespace): Promise<string> {
    await this.#releases.get(key);
    const target = this.mountPoint(key);
    if (this.#mounted(target)) return target;
    await this.#layers.vouch(this.#writable.get(key).parent);
    const overlay = this.#overlay(key);
    if (owners) return this.#mapped.mount(key, { ...overlay, writable: join(this.#writable.folder, key) }, owners);
    mountOverlay(overlay, target);
    return target;
  }

  mountPoint(key: string): string {
    return this.#mapped.find(key) ?? this.#writable.path(key, "merged");
  }

  async unmount(key: string): Promise<void> {
    this.#release(key);
  }

  async withView<T>(chainId: Digest | undefined, use: (folder: string) => Promise<T>): Promise<T> {
    using hold = this.hold();
    void hold;
    for (const layer of this.#layers.ancestry(chainId)) this.#hold(layer.chainId);
    const folder = this.#path("views", newId());
    mkdirSync(folder, { mode: 0o700 });
    try {
      await this.#layers.vouch(chainId);
      const lower = this.#layers.trees(chainId);
      const empty = this.#path("empty");
      if (lower.length === 0) bindMount(empty, folder, { readOnly: true });
      // Overlayfs wants two trees where there is no upper one.
      else
        mountOverlay(
          { lower: [...lower, empty], base: this.#layers.folder, options: ["ro", ...OVERLAY_OPTIONS] },
          folder,
        );
      try {
        return await use(folder);
      } finally {
        await releaseMount(folder);
      }
    } finally {
      rmdirSync(folder);
    }
  }

  async *changes(key: string): AsyncGenerator<FileChange> {
    for (const { path, kind } of await this.#here.run({ kind: "list-changes", ...this.#trees(key) })) {
      const rawPath = toBytes(path);
      const text = shown(path);
      yield Buffer.compare(Buffer.from(text), rawPath) === 0 ? { path: text, kind } : { path: text, rawPath, kind };
    }
  }

  diff(key: string): AsyncIterable<Uint8Array> {
    return this.#worker.stream({ kind: "pack-layer", ...this.#trees(key) });
  }

  async commit(key: string, diffId: Digest): Promise<AppliedLayer> {
    const { parent } = this.#writable.get(key);
    const chainId = chainIdOn(parent, diffId);
    await this.#releases.get(key);
    return this.#mutex.run(chainId, async () => {
      if (!this.has(chainId)) {
        const usage = await this.usage(key);
        const staged = this.#path("staging", newId());
        mkdirSync(staged, { mode: 0o755 });
        renameSync(this.#writable.path(key, "upper"), join(staged, "fs"));
        const mark = await this.#layers.markOf(join(staged, "fs"), usage.inodes);
        this.#layers.commit(staged, { chainId, diffId, parent, size: usage.content, usage, opaque: false, mark });
        this.#newLayers.keep();
        this.#hold(chainId);
      }
      await this.remove(key);
      const { size } = this.#layers.get(chainId);
      return { diffId, chainId, size };
    });
  }

  async usage(key: string): Promise<Usage> {
    this.#writable.get(key);
    return this.#here.run({ kind: "usage", folder: this.#writable.path(key, "upper") });
  }

  layerUsage(chainId: Digest): Usage {
    return this.#layers.get(chainId).usage;
  }

  async remove(key: string): Promise<void> {
    if (!this.#writable.has(key)) return;
    // Out of the tree now; what takes time happens after the answer.
    const released = this.#release(key);
    this.#trash.take(join(this.#writable.folder, key), released);
    this.#writable.drop(key);
  }

  keys(): readonly string[] {
    return this.#writable.list().map(({ key }) => key);
  }

  standsOn(key: string): readonly Digest[] {
    return this.#layers.ancestry(this.#writable.get(key).parent).map(({ chainId }) => chainId);
  }

  layers(): readonly Digest[] {
    return this.#layers.list();
  }

  hold(): Disposable {
    const held = new Set<Digest>();
    this.#holds.add(held);
    return { [Symbol.dispose]: () => void this.#holds.delete(held) };
  }

  async collect(needed: (chainId: Digest) => boolean): Promise<readonly Digest[]> {
    const kept = new Set<Digest>();
    const keep = (chainId: Digest | undefined) => {
      for (const layer of this.#layers.ancestry(chainId)) kept.add(layer.chainId);
    };
    for (const { parent } of this.#writable.list()) if (parent && this.#layers.has(parent)) keep(parent);
    for (const held of this.#holds) for (const chainId of held) if (this.#layers.has(chainId)) keep(chainId);
    for (const chainId of this.#layers.list()) if (needed(chainId)) keep(chainId);
    const unneeded = this.#layers.list().filter((chainId) => !kept.has(chainId));
    // The highest first: killed half-way, no layer is left without the one it stands on.
    unneeded.sort((a, b) => this.#layers.ancestry(b).length - this.#layers.ancestry(a).length);
    const folders = unneeded.map((chainId) => this.#layers.drop(chainId));
    for (const folder of folders) this.#trash.take(join(this.#layers.folder, folder));
    return unneeded;
  }

  /** Resolves when new layers are on disk and, where they are unpacked, read. */
  kept(): Promise<void> {
    return this.#newLayers.kept();
  }

  /** Resolves when what was removed so far is off the disk. */
  settled(): Promise<void> {
    return this.#trash.emptied();
  }

  /** Takes the layers' own mounts off the host. Containers keep what they stand on. */
  hide(): void {
    this.#layers.hide();
  }

  /** Waits for background work and ends the worker. Not needed before a daemon ends: the next one goes on with it. */
  async close(): Promise<void> {
    this.#newLayers.stop();
    this.hide();
    await this.settled();
    await Promise.all(this.#releases.values());
    await this.kept();
    this.#worker.close();
  }

  /** Out of the tree now; torn down later. Two mounts must not share an upper folder, so the next one waits for that. */
  #release(key: string): Promise<void> | undefined {
    const place = releaseMount(this.mountPoint(key));
    this.#mapped.remove(key);
    const released = place
      ?.catch((error: unknown) => this.#log.warn("A mount could not be released", { key, error }))
      .finally(() => this.#releases.delete(key));
    if (released) this.#releases.set(key, released);
    return released ?? this.#releases.get(key);
  }

  #path(...parts: string[]): string {
    return join(this.#folder, ...parts);
  }

  #hold(chainId: Digest): void {
    for (const held of this.#holds) held.add(chainId);
  }

  #trees(key: string): { readonly upper: string; readonly lower: readonly string[] } {
    const { parent } = this.#writable.get(key);
    return {
      upper: this.#writable.path(key, "upper"),
      lower: [...this.#layers.trees(parent), this.#path(MOUNT_POINTS)],
    };
  }

  #overlay(key: string): OverlayRequest {
    return {
      ...this.#trees(key),
      work: this.#writable.path(key, "work"),
      base: this.#layers.folder,
      options: OVERLAY_OPTIONS,
    };
  }

  /** Seen from what is there, not from memory: another file system begins at the mount point. */
  #mounted(place: string): boolean {
    return statAt(AT_FDCWD, place).device !== statAt(AT_FDCWD, dirname(place)).device;
  }
}

function chainIdOn(parent: Digest | undefined, diffId: Digest): Digest {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}
