import { ptr } from "bun:ffi";
import { closeSync, openSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileSystemUsage } from "./file-system.ts";
import { check, libcSymbols } from "./libc.ts";

const libc = libcSymbols({ ioctl: { args: ["int", "u64", "ptr"], returns: "int" } });

/** linux/magic.h. */
const BTRFS_MAGIC = 0x9123_683e;
/** The inode number of every subvolume's top folder. */
const SUBVOLUME_TOP = 256;
/** linux/btrfs.h: BTRFS_IOC_SNAP_CREATE and BTRFS_IOC_SUBVOL_CREATE, both with a `btrfs_ioctl_vol_args`. */
const [SNAP_CREATE, SUBVOL_CREATE] = [0x5000_9401, 0x5000_940e];
const ARGS_SIZE = 4096;
const NAME_AT = 8;

export function isOnBtrfs(path: string): boolean {
  return fileSystemUsage(path).type === BTRFS_MAGIC;
}

/** Whether a folder is the top of a btrfs subvolume. */
export function isSubvolume(path: string): boolean {
  return statSync(path).ino === SUBVOLUME_TOP && isOnBtrfs(path);
}

/** Makes an empty btrfs subvolume, as mkdir(2) makes a folder; rmdir(2) removes it again. */
export function makeSubvolume(path: string): void {
  create(SUBVOL_CREATE, path, 0n, "make a subvolume");
}

/** Makes `path` a snapshot of the subvolume `source`: a subvolume of its own that has the same files. No content is copied. */
export function snapshotSubvolume(source: string, path: string): void {
  const fd = openSync(source, "r");
  try {
    create(SNAP_CREATE, path, BigInt(fd), `snapshot ${source}`);
  } finally {
    closeSync(fd);
  }
}

function create(request: number, path: string, source: bigint, what: string): void {
  const args = Buffer.alloc(ARGS_SIZE);
  args.writeBigInt64LE(source, 0);
  args.write(basename(path), NAME_AT);
  const parent = openSync(dirname(path), "r");
  try {
    check(libc().ioctl(parent, request, ptr(args)), what, path);
  } finally {
    closeSync(parent);
  }
}
