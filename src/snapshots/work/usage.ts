import {
  closeFd,
  type DirectoryEntry,
  isDirectory,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  readDirectory,
  statAtIfAny,
} from "../../kernel/mod.ts";
import type { Usage } from "../snapshots.ts";
import { unlessGone } from "../tree/packer.ts";
import { PAUSE, type Work } from "./steps.ts";

interface Level {
  readonly fd: number;
  readonly entries: Iterator<DirectoryEntry>;
}

const SMALL_INODES = 500;
const SMALL_BYTES = 64 << 20;

export function* isSmall(root: number): Work<boolean> {
  const { size, inodes } = yield* usageOf(root, SMALL_INODES, SMALL_BYTES);
  return inodes <= SMALL_INODES && size <= SMALL_BYTES;
}

/** Bytes on disk and inodes of the tree behind `root`, a file with several names counted once. Stops early when there is more than asked about. */
export function* usageOf(root: number, mostInodes = Infinity, mostBytes = Infinity): Work<Usage> {
  const seen = new Set<bigint>();
  let size = 0;
  let content = 0;
  let inodes = 0;
  const levels: Level[] = [];
  const descend = (parent: number, name: string | Uint8Array) => {
    const fd = unlessGone(() => openAt(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (fd !== undefined) levels.push({ fd, entries: readDirectory(fd) });
  };
  try {
    descend(root, ".");
    for (let level = levels.at(-1); level && inodes <= mostInodes && size <= mostBytes; level = levels.at(-1)) {
      const { done, value } = level.entries.next();
      if (done) {
        levels.pop();
        closeFd(level.fd);
        yield PAUSE;
        continue;
      }
      const stat = statAtIfAny(level.fd, value.name);
      if (!stat) continue;
      const isFolder = isDirectory(stat);
      if (!isFolder && stat.links > 1) {
        if (seen.has(stat.inode)) continue;
        seen.add(stat.inode);
      }
      size += stat.blocks * 512;
      inodes++;
      if (isFolder) descend(level.fd, value.name);
      else content += stat.size;
    }
  } finally {
    for (const { fd } of levels) closeFd(fd);
  }
  return { size, content, inodes };
}
