import { basename } from "node:path";
import { HavreError, rfc3339Nano } from "../base/mod.ts";
import {
  type FileChange,
  packTree,
  packWholeTree,
  statInTree,
  type TreeEntry,
  unpackIntoTree,
} from "../snapshots/mod.ts";
import type { Container } from "./container.ts";
import type { EngineContext } from "./context.ts";
import type { Archives, PathStat } from "./engine.ts";
import { getContainer, hasProcess } from "./lookup.ts";

/** Files in and out of containers, running or not. Paths never leave the container's root. */
export class ContainerArchives implements Archives {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async stat(ref: string, path: string): Promise<PathStat> {
    return this.#withRoot(ref, path, async (root) => pathStat(await statInTree(root, path), path));
  }

  async get(ref: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }> {
    const container = getContainer(this.#context.store, ref);
    const root = await this.#acquire(container);
    try {
      const stat = pathStat(await explained(ref, path, () => statInTree(root.folder, path)), path);
      return { stat, tar: releasing(packTree(root.folder, path), root.release) };
    } catch (error) {
      await root.release();
      throw error;
    }
  }

  async put(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    { noOverwriteDirNonDir, copyUidGid }: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void> {
    const container = getContainer(this.#context.store, ref);
    if (container.spec.hostConfig.ReadonlyRootfs) {
      throw new HavreError("permission-denied", "container rootfs is marked read-only");
    }
    await this.#withRoot(ref, path, (root) =>
      unpackIntoTree(root, path, tar, { noOverwriteDirNonDir, ...(copyUidGid ? { owner: { uid: 0, gid: 0 } } : {}) }),
    );
  }

  async export(ref: string): Promise<AsyncIterable<Uint8Array>> {
    const container = getContainer(this.#context.store, ref);
    const folder = await this.#context.snapshots.mount(container.id);
    this.#context.events.emitContainer(container, "export");
    return releasing(packWholeTree(folder), () => this.#unmountIfIdle(container.id));
  }

  async changes(ref: string): Promise<readonly FileChange[]> {
    const { id } = getContainer(this.#context.store, ref);
    return Array.fromAsync(this.#context.snapshots.changes(id));
  }

  async #withRoot<T>(ref: string, path: string, work: (folder: string) => Promise<T>): Promise<T> {
    const container = getContainer(this.#context.store, ref);
    const root = await this.#acquire(container);
    try {
      return await explained(ref, path, () => work(root.folder));
    } finally {
      await root.release();
    }
  }

  /** The container's root as its own processes see it (volumes included), or its mounted tree when it has none. */
  async #acquire({ id }: Container): Promise<{ readonly folder: string; readonly release: () => Promise<void> }> {
    const { status } = getContainer(this.#context.store, id);
    if (status.init) return { folder: `/proc/${status.init.pid}/root`, release: async () => {} };
    return { folder: await this.#context.snapshots.mount(id), release: () => this.#unmountIfIdle(id) };
  }

  /** A start may have taken the mount over meanwhile. */
  #unmountIfIdle(id: string): Promise<void> {
    return this.#context.locks.run(id, async () => {
      if (!hasProcess(getContainer(this.#context.store, id))) await this.#context.snapshots.unmount(id);
    });
  }
}

async function* releasing(tar: AsyncIterable<Uint8Array>, release: () => Promise<void>): AsyncGenerator<Uint8Array> {
  try {
    yield* tar;
  } finally {
    await release();
  }
}

/** `ref` as the client called the container: the error repeats it, as Docker's does. */
async function explained<T>(ref: string, path: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof HavreError && error.kind === "not-found") {
      throw new HavreError("not-found", `Could not find the file ${path} in container ${ref}`, {
        cause: error,
      });
    }
    throw error;
  }
}

const S_IFMT = 0o170000;
/** Go's os.FileMode bits by st_mode file type. */
const GO_TYPES: ReadonlyMap<number, number> = new Map([
  [0o040000, 0x8000_0000],
  [0o120000, 0x0800_0000],
  [0o060000, 0x0400_0000],
  [0o020000, 0x0400_0000 | 0x0020_0000],
  [0o010000, 0x0200_0000],
  [0o140000, 0x0100_0000],
]);

/** st_mode as the bits of Go's os.FileMode, as the API has them. */
export function goMode(mode: number): number {
  const special =
    (mode & 0o4000 ? 0x0080_0000 : 0) | (mode & 0o2000 ? 0x0040_0000 : 0) | (mode & 0o1000 ? 0x0010_0000 : 0);
  return ((GO_TYPES.get(mode & S_IFMT) ?? 0) | special | (mode & 0o777)) >>> 0;
}

function pathStat(entry: TreeEntry, path: string): PathStat {
  return {
    name: entry.name || basename(path) || "/",
    size: entry.size,
    mode: goMode(entry.mode),
    mtime: rfc3339Nano(entry.mtime),
    linkTarget: entry.linkTarget,
  };
}
