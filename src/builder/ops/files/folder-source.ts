import { type Digest, Digester, errnoOf, HavreError } from "../../../base/mod.ts";
import {
  AT_FDCWD,
  closeFd,
  type FileStat,
  getXattr,
  isDirectory,
  isRegular,
  isSymlink,
  listXattrs,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openAt,
  openInRoot,
  pathBelow,
  readAt,
  readDirectory,
  readLinkAt,
  S_IFBLK,
  S_IFCHR,
  S_IFIFO,
  S_IFMT,
  statFd,
} from "../../../kernel/mod.ts";
import { type ByteName, fromBytes, toBytes } from "../../../snapshots/mod.ts";

import { baseOf, parentOf } from "./paths.ts";
import type { FileSource, SourceFile } from "./source.ts";

const CHUNK = 256 * 1024;
const OVERLAY_XATTRS = "trusted.overlay.";

/** Files below a folder of this machine. Nothing outside of it is reached, whatever links say. */
export class FolderSource implements FileSource, Disposable {
  readonly #root: number;

  constructor(path: string) {
    this.#root = openAt(AT_FDCWD, path, O_PATH | O_DIRECTORY);
  }

  [Symbol.dispose](): void {
    closeFd(this.#root);
  }

  stat(path: ByteName): SourceFile | undefined {
    const fd = this.#open(path, O_PATH | O_NOFOLLOW);
    if (fd === undefined) return undefined;
    try {
      const stat = statFd(fd);
      const type = typeOf(stat);
      if (type === undefined) return undefined;
      return {
        path,
        type,
        mode: stat.mode & 0o7777,
        uid: stat.uid,
        gid: stat.gid,
        mtime: stat.mtime,
        size: isRegular(stat) ? stat.size : 0,
        linkTarget: isSymlink(stat) ? fromBytes(readLinkAt(fd, "")) : "",
        devMajor: stat.deviceMajor,
        devMinor: stat.deviceMinor,
        xattrs: this.#xattrs(path),
        identity: !isDirectory(stat) && stat.links > 1 ? `${stat.device}:${stat.inode}` : undefined,
      };
    } finally {
      closeFd(fd);
    }
  }

  list(path: ByteName): readonly ByteName[] {
    const fd = this.#open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd === undefined) return [];
    try {
      return [...readDirectory(fd)].map(({ name }) => fromBytes(name)).sort();
    } finally {
      closeFd(fd);
    }
  }

  digest(file: SourceFile): Digest {
    const digester = new Digester();
    for (const chunk of this.read(file)) digester.update(chunk);
    return digester.digest();
  }

  *read(file: SourceFile): Generator<Uint8Array> {
    const fd = this.#open(file.path, O_RDONLY | O_NOFOLLOW);
    if (fd === undefined) throw new HavreError("not-found", `/${file.path} is gone`);
    try {
      for (let offset = 0; ; ) {
        const buffer = new Uint8Array(Math.min(CHUNK, Math.max(file.size - offset, 1)));
        const count = readAt(fd, buffer, offset);
        if (count === 0) return;
        offset += count;
        yield buffer.subarray(0, count);
      }
    } finally {
      closeFd(fd);
    }
  }

  #open(path: ByteName, flags: number): number | undefined {
    try {
      return openInRoot(this.#root, toBytes(path), flags);
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes(errnoOf(error) ?? "")) return undefined;
      throw error;
    }
  }

  #xattrs(path: ByteName): ReadonlyMap<string, Uint8Array> {
    const parent = this.#open(parentOf(path), O_PATH | O_DIRECTORY);
    if (parent === undefined) return new Map();
    try {
      const place = pathBelow(parent, path === "" ? "." : toBytes(baseOf(path)));
      const found = new Map<string, Uint8Array>();
      for (const name of listXattrs(place)) {
        if (name.startsWith(OVERLAY_XATTRS) || name === "security.selinux") continue;
        const value = getXattr(place, name);
        if (value) found.set(name, value);
      }
      return found;
    } finally {
      closeFd(parent);
    }
  }
}

function typeOf(stat: FileStat): SourceFile["type"] | undefined {
  if (isRegular(stat)) return "file";
  if (isDirectory(stat)) return "directory";
  if (isSymlink(stat)) return "symlink";
  switch (stat.mode & S_IFMT) {
    case S_IFCHR:
      return "char";
    case S_IFBLK:
      return "block";
    case S_IFIFO:
      return "fifo";
  }
  return undefined;
}
