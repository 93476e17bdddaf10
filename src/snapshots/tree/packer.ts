import { errnoOf } from "../../base/mod.ts";
import {
  AT_FDCWD,
  closeFd,
  type FileStat,
  getXattr,
  isRegular,
  listXattrs,
  nextData,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openAt,
  pathBelow,
  readAt,
  readLinkAt,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  statFd,
} from "../../kernel/mod.ts";
import { type Extent, paddingAfter, type TarHeaderInit, type TarType } from "../tar/header.ts";
import { encodeTarHeader, TAR_TRAILER } from "../tar/writer.ts";
import { output, type Work } from "../work/steps.ts";
import { type HeldIds, idInside } from "./held-ids.ts";
import { type ByteName, toBytes } from "./names.ts";
import { OVERLAY_XATTRS } from "./whiteout.ts";

const CHUNK = 256 * 1024;
const TYPES: ReadonlyMap<number, TarType> = new Map([
  [S_IFREG, "file"],
  [S_IFDIR, "directory"],
  [S_IFLNK, "symlink"],
  [S_IFCHR, "char"],
  [S_IFBLK, "block"],
  [S_IFIFO, "fifo"],
]);

/** Writes files of a tree as members of an archive, small ones gathered into chunks. Sockets have no place in a tar and are left out. */
export class TreePacker {
  readonly #names = new Map<string, ByteName>();
  readonly #ids: HeldIds | undefined;
  #chunk = new Uint8Array(CHUNK);
  #filled = 0;

  /** `ids`: what the tree's owners are shown as; absent: as they are. */
  constructor(ids?: HeldIds) {
    this.#ids = ids;
  }

  /** The file `name` of the folder `parent` as the member `path`; of a folder only itself. `stat` is what the file was just seen as. */
  *member(parent: number, name: Uint8Array, stat: FileStat, path: ByteName): Work<void> {
    const type = TYPES.get(stat.mode & S_IFMT);
    if (type === undefined) return;
    const base: TarHeaderInit = {
      path: toBytes(type === "directory" && !path.endsWith("/") ? `${path}/` : path),
      type,
      mode: stat.mode & 0o7777,
      uid: this.#ids ? idInside(stat.uid, this.#ids.uid, this.#ids.size) : stat.uid,
      gid: this.#ids ? idInside(stat.gid, this.#ids.gid, this.#ids.size) : stat.gid,
      mtime: stat.mtime,
    };
    if (type !== "directory" && stat.links > 1) {
      const identity = `${stat.device}:${stat.inode}`;
      const first = this.#names.get(identity);
      if (first !== undefined) {
        yield* this.header({ ...base, type: "hardlink", linkTarget: toBytes(first) });
        return;
      }
      this.#names.set(identity, path);
    }
    const xattrs = xattrsOf(pathBelow(parent, name));
    if (type === "file") yield* this.#file(parent, name, { ...base, xattrs });
    else if (type === "symlink") {
      const linkTarget = unlessGone(() => readLinkAt(parent, name));
      if (linkTarget) yield* this.header({ ...base, xattrs, linkTarget });
    } else yield* this.header({ ...base, xattrs, devMajor: stat.deviceMajor, devMinor: stat.deviceMinor });
  }

  *header(init: TarHeaderInit): Work<void> {
    yield* this.#bytes(encodeTarHeader(init));
  }

  /** What ends an archive. */
  *end(): Work<void> {
    yield* this.#bytes(TAR_TRAILER);
    if (this.#filled > 0) yield output(this.#chunk.subarray(0, this.#filled));
  }

  /** Opened without effect first and only read when it is an ordinary file: a pipe or device put in its place meanwhile stays untouched. */
  *#file(parent: number, name: Uint8Array, init: TarHeaderInit): Work<void> {
    const place = unlessGone(() => openAt(parent, name, O_PATH | O_NOFOLLOW));
    if (place === undefined) return;
    let fd: number;
    try {
      if (!isRegular(statFd(place))) return;
      fd = openAt(AT_FDCWD, `/proc/self/fd/${place}`, O_RDONLY);
    } finally {
      closeFd(place);
    }
    try {
      const { size, blocks } = statFd(fd);
      const extents = blocks * 512 < size ? extentsOf(fd, size) : undefined;
      yield* this.header({ ...init, size, ...(extents ? { extents } : {}) });
      let stored = 0;
      for (const extent of extents ?? [{ offset: 0, length: size }]) {
        yield* this.#content(fd, extent);
        stored += extent.length;
      }
      yield* this.#zeros(paddingAfter(stored));
    } finally {
      closeFd(fd);
    }
  }

  /** A file that shrinks while it is read is filled up with zeros, as tar(1) does: its length is promised already. */
  *#content(fd: number, { offset, length }: Extent): Work<void> {
    for (let done = 0; done < length; ) {
      const room = this.#chunk.subarray(this.#filled, this.#filled + Math.min(CHUNK - this.#filled, length - done));
      const count = readAt(fd, room, offset + done);
      room.fill(0, count);
      done += room.length;
      this.#filled += room.length;
      if (this.#filled === CHUNK) yield* this.#flush();
    }
  }

  *#zeros(count: number): Work<void> {
    yield* this.#bytes(new Uint8Array(count));
  }

  *#bytes(bytes: Uint8Array): Work<void> {
    for (let done = 0; done < bytes.length; ) {
      const part = bytes.subarray(done, done + CHUNK - this.#filled);
      this.#chunk.set(part, this.#filled);
      done += part.length;
      this.#filled += part.length;
      if (this.#filled === CHUNK) yield* this.#flush();
    }
  }

  *#flush(): Work<void> {
    const full = this.#chunk;
    this.#chunk = new Uint8Array(CHUNK);
    this.#filled = 0;
    yield output(full);
  }
}

/** Where a file with holes has data; undefined when it has none after all (a compressing file system, say). */
function extentsOf(fd: number, size: number): Extent[] | undefined {
  const extents: Extent[] = [];
  let stored = 0;
  for (let offset = 0; offset < size; ) {
    const data = nextData(fd, offset);
    if (!data || data.offset >= size) break;
    const length = Math.min(data.length, size - data.offset);
    extents.push({ offset: data.offset, length });
    stored += length;
    offset = data.offset + length;
  }
  return stored === size ? undefined : extents;
}

/** Attributes that belong to the file, not to this machine's overlay mounts or its SELinux policy. */
function xattrsOf(path: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const xattrs = new Map<string, Uint8Array>();
  for (const name of unlessGone(() => listXattrs(path)) ?? []) {
    if (name.startsWith(OVERLAY_XATTRS) || name === "security.selinux") continue;
    const value = unlessGone(() => getXattr(path, name));
    if (value) xattrs.set(name, value);
  }
  return xattrs;
}

/** In a living tree what was just seen may be gone or another thing: such a file is left out, as by tar(1). */
export function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "EINVAL") return undefined;
    throw error;
  }
}
