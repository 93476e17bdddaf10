import { type Digest, Digester } from "../../base/mod.ts";
import {
  closeFd,
  type FileStat,
  getXattr,
  isDirectory,
  isRegular,
  isSymlink,
  listXattrs,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  pathBelow,
  readAt,
  readLinkAt,
  statAt,
} from "../../kernel/mod.ts";
import { sortedEntries } from "../tree/listing.ts";
import { type ByteName, fromBytes, toBytes } from "../tree/names.ts";
import { isWhiteout } from "../tree/whiteout.ts";
import { PAUSE, type Step, type Work } from "./steps.ts";

const CHUNK = 1 << 20;

/** Of a tree of files: `mark` says whether it was touched, `digest` what is in it. */
export interface TreeSeal {
  readonly mark: Digest;
  readonly digest: Digest;
}

/**
 * What changes with every change of a tree: each file's name, inode, size and the time of its last change (ctime of inode(7), which nobody
 * sets, unlike that of the last writing). Content is not read.
 */
export function* markOf(root: number): Work<Digest> {
  const digester = new Digester();
  yield* eachFile(root, (_folder, _name, stat, path) => {
    // overlayfs links one whiteout to many names, and takes the spare link away after the tree is finished.
    const changed = isWhiteout(stat) ? "whiteout" : stat.ctime;
    digester.update(toBytes(`${path}\0${stat.inode} ${stat.size} ${changed}\n`));
    return undefined;
  });
  return digester.digest();
}

/** Both, of a tree that nobody changes: attributes and content of every file, and the marks of overlayfs that decide what shows through. */
export function* sealTree(root: number): Work<TreeSeal> {
  const mark = yield* markOf(root);
  const digester = new Digester();
  const names = new Map<bigint, ByteName>();
  const buffer = new Uint8Array(CHUNK);
  yield* eachFile(root, function* digest(folder, name, stat, path) {
    const { mode, uid, gid, deviceMajor, deviceMinor, mtime } = stat;
    const first = stat.links > 1 && !isDirectory(stat) ? (names.get(stat.inode) ?? path) : path;
    digester.update(toBytes(`${path}\0${first}\0${mode} ${uid} ${gid} ${deviceMajor} ${deviceMinor} ${mtime}\0`));
    if (first !== path) return;
    names.set(stat.inode, path);
    for (const key of listXattrs(pathBelow(folder, name)).sort()) {
      // This machine's own, given anew when its policy is.
      if (key === "security.selinux") continue;
      const value = getXattr(pathBelow(folder, name), key) ?? new Uint8Array();
      digester.update(Buffer.from(`${key}\0${value.length}\0`)).update(value);
    }
    if (isSymlink(stat)) digester.update(readLinkAt(folder, name));
    if (!isRegular(stat)) return;
    digester.update(toBytes(`${stat.size}\0`));
    const fd = openAt(folder, name, O_RDONLY | O_NOFOLLOW);
    try {
      let at = 0;
      for (let count = readAt(fd, buffer, at); count > 0; count = readAt(fd, buffer, at)) {
        digester.update(buffer.subarray(0, count));
        at += count;
        yield PAUSE;
      }
    } finally {
      closeFd(fd);
    }
  });
  return { mark, digest: digester.digest() };
}

type See = (folder: number, name: Uint8Array, stat: FileStat, path: ByteName) => Iterable<Step> | undefined;

/** The top folder and all below it, a folder before what it holds. */
function* eachFile(root: number, see: See): Work<void> {
  const top = Buffer.from(".");
  yield* see(root, top, statAt(root, top), "") ?? [];
  yield* below(root, "", see);
}

function* below(folder: number, prefix: ByteName, see: See): Work<void> {
  for (const { name } of sortedEntries(folder)) {
    const stat = statAt(folder, name);
    const path = `${prefix}/${fromBytes(name)}`;
    yield* see(folder, name, stat, path) ?? [];
    if (!isDirectory(stat)) continue;
    const child = openAt(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    try {
      yield* below(child, path, see);
    } finally {
      closeFd(child);
    }
    yield PAUSE;
  }
}
