import { statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { HavreError, newId, rfc3339Nano } from "../base/mod.ts";
import {
  type FileChange,
  type HeldIds,
  packTree,
  packWholeTree,
  statInTree,
  type TreeEntry,
  unpackIntoTree,
} from "../snapshots/mod.ts";
import type { Container, MountPoint } from "./container.ts";
import type { EngineContext } from "./context.ts";
import type { Archives, PathStat } from "./engine.ts";
import { findContainer, getContainer, hasProcess } from "./lookup.ts";

/** A tree, where in it, and what gives it back. */
interface Root {
  readonly folder: string;
  readonly path: string;
  /** What its owners are shown as; absent: as they are. */
  readonly ids?: HeldIds;
  readonly release: () => Promise<void>;
}

/** Files in and out of containers, running or not. Paths never leave the container's root. */
export class ContainerArchives implements Archives {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async stat(ref: string, path: string): Promise<PathStat> {
    return this.#withRoot(ref, path, false, async (root, inRoot) => pathStat(await statInTree(root, inRoot), path));
  }

  async get(ref: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }> {
    const container = getContainer(this.#context.store, ref);
    const root = await this.#acquire(container, path);
    try {
      const stat = pathStat(await explained(ref, path, () => statInTree(root.folder, root.path)), path);
      return { stat, tar: releasing(packTree(root.folder, root.path, undefined, root.ids), root.release) };
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
    const { hostConfig, policy } = container.spec;
    if (hostConfig.ReadonlyRootfs && !policy?.locksRoot) {
      throw new HavreError("permission-denied", "container rootfs is marked read-only");
    }
    if (mountOver(container, path)?.writable === false) {
      throw new HavreError("permission-denied", "mounted volume is marked read-only");
    }
    const behind = policy?.locksRoot === true && !onOwnMount(container, path);
    await this.#withRoot(ref, path, behind, (root, inRoot, ids) =>
      unpackIntoTree(root, inRoot, tar, {
        noOverwriteDirNonDir,
        // Docker's: everything becomes the container's user's, if it has one.
        ...(copyUidGid ? ownerOf(container) : {}),
        ...(ids ? { ids } : {}),
      }),
    );
  }

  async export(ref: string): Promise<AsyncIterable<Uint8Array>> {
    const container = getContainer(this.#context.store, ref);
    const folder = await this.#context.trees.join(container.id);
    this.#context.events.emitContainer(container, "export");
    const ids = this.#context.identities.of(container.id);
    return releasing(packWholeTree(folder, undefined, ids), () => this.#leave(container.id));
  }

  async changes(ref: string): Promise<readonly FileChange[]> {
    const { id } = getContainer(this.#context.store, ref);
    return Array.fromAsync(this.#context.snapshots.changes(id));
  }

  async #withRoot<T>(
    ref: string,
    path: string,
    /** In the tree itself: the root that its processes have cannot be written. */
    behind: boolean,
    work: (folder: string, path: string, ids: HeldIds | undefined) => Promise<T>,
  ): Promise<T> {
    const container = getContainer(this.#context.store, ref);
    const root = behind ? await this.#joinTree(container.id, path) : await this.#acquire(container, path);
    try {
      return await explained(ref, path, () => work(root.folder, root.path, root.ids));
    } finally {
      await root.release();
    }
  }

  /**
   * The tree that a path lies in, and the path there: the root as the container's own processes see it, or, when it has
   * none, its mounted tree, or the folder that would be mounted there.
   */
  async #acquire({ id }: Container, path: string): Promise<Root> {
    const container = getContainer(this.#context.store, id);
    const nothing = async () => {};
    const owned = this.#context.identities.of(id);
    const ids = owned ? { ids: owned } : {};
    if (container.status.init)
      return { folder: `/proc/${container.status.init.pid}/root`, path, ...ids, release: nothing };
    const mount = mountOver(container, path);
    if (mount?.type === "volume" && mount.name !== undefined)
      return this.#inVolume(container.id, mount.name, mount, path);
    if (mount && isFolder(mount.source)) {
      return { folder: mount.source, path: `/${relative(mount.destination, absolute(path))}`, release: nothing };
    }
    return this.#joinTree(id, path);
  }

  async #joinTree(id: string, path: string): Promise<Root> {
    const owned = this.#context.identities.of(id);
    const folder = await this.#context.trees.join(id);
    return { folder, path, ...(owned ? { ids: owned } : {}), release: () => this.#leave(id) };
  }

  /** Inside a volume, of which the container may have a part only. */
  async #inVolume(id: string, name: string, { destination, subpath = "" }: MountPoint, path: string): Promise<Root> {
    const { volumes } = this.#context;
    const holder = `${id}-copy-${newId()}`;
    const folder = await volumes.mount(name, holder);
    const inside = join("/", subpath, relative(destination, absolute(path)));
    return { folder, path: inside, release: () => volumes.unmount(name, holder) };
  }

  /** A start may have taken the mount over meanwhile, a removal may have taken it away. */
  async #leave(id: string): Promise<void> {
    const { trees, locks, store } = this.#context;
    trees.leave(id);
    await locks.run(id, async () => {
      const container = findContainer(store, id);
      if (container && !hasProcess(container)) await trees.release(id);
    });
  }
}

/** The innermost mount of the host's files that a path of the container lies in, by its names alone. */
function mountOver({ spec }: Container, path: string): MountPoint | undefined {
  const wanted = `${absolute(path)}/`;
  return spec.mounts
    .filter(({ type, destination }) => type !== "tmpfs" && wanted.startsWith(`${destination}/`))
    .sort((one, other) => other.destination.length - one.destination.length)[0];
}

/** Whether something is mounted over a path of the container, scratch folders too, by its names alone. */
function onOwnMount({ spec }: Container, path: string): boolean {
  const wanted = `${absolute(path)}/`;
  const places = [...spec.mounts.map(({ destination }) => destination), ...Object.keys(spec.hostConfig.Tmpfs ?? {})];
  return places.some((place) => wanted.startsWith(`${absolute(place)}/`));
}

/** The user of a container by number; one by name is the image's to know, and taken for root. */
function ownerOf({ spec }: Container): { readonly owner?: { readonly uid: number; readonly gid: number } } {
  const { User } = spec.config;
  if (User === "") return {};
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(User) ?? [];
  return { owner: { uid: Number(uid ?? 0), gid: Number(gid ?? 0) } };
}

function absolute(path: string): string {
  return resolve("/", path);
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
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
