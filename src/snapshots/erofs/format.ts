/**
 * The on-disk format of EROFS as far as an index over a tar needs it (Documentation/filesystems/erofs.rst and
 * fs/erofs/erofs_fs.h of Linux): blocks of a tar's size, extended inodes, plain data, inline attributes, one more device.
 */
export const BLOCK = 512;
export const BLOCK_BITS = 9;
export const SUPER_OFFSET = 1024;
const SUPER_SIZE = 128;
const MAGIC = 0xe0f5e1e2;
const COMPAT_MTIME = 2;
const INCOMPAT_DEVICE_TABLE = 8;
const DEVICE_SLOT = 128;

export const INODE_SIZE = 64;
/** Inodes are numbered by their place in units of this. */
export const INODE_SLOT = 32;
const EXTENDED_PLAIN = 1;

export const DIRENT_SIZE = 12;
export const XATTR_HEADER = 12;
const XATTR_ENTRY = 4;
/** Longest first: names are kept without their prefix. */
const XATTR_PREFIXES: readonly (readonly [prefix: string, index: number])[] = [
  ["system.posix_acl_access", 2],
  ["system.posix_acl_default", 3],
  ["trusted.", 4],
  ["security.", 6],
  ["user.", 1],
];

/** Where the first inode stands: behind superblock and device table. */
export const META_OFFSET = 3 * BLOCK;

export interface SuperBlock {
  readonly rootNid: number;
  readonly inodes: number;
  /** Of the index itself. */
  readonly blocks: number;
  /** Of the tar, which is addressed as if it followed the index. */
  readonly deviceBlocks: number;
}

export function writeSuperBlock(into: Buffer, { rootNid, inodes, blocks, deviceBlocks }: SuperBlock): void {
  const at = SUPER_OFFSET;
  into.writeUInt32LE(MAGIC, at);
  into.writeUInt32LE(COMPAT_MTIME, at + 8);
  into.writeUInt8(BLOCK_BITS, at + 12);
  into.writeUInt16LE(rootNid, at + 14);
  into.writeBigUInt64LE(BigInt(inodes), at + 16);
  into.writeUInt32LE(blocks, at + 36);
  into.writeUInt32LE(INCOMPAT_DEVICE_TABLE, at + 80);
  into.writeUInt16LE(1, at + 86);
  into.writeUInt16LE((at + SUPER_SIZE) / DEVICE_SLOT, at + 88);
  into.writeUInt32LE(deviceBlocks, at + SUPER_SIZE + 64);
  into.writeUInt32LE(blocks, at + SUPER_SIZE + 68);
}

export interface Inode {
  readonly mode: number;
  readonly size: number;
  /** Block of the content, or a device's number. */
  readonly union: number;
  readonly number: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
  readonly links: number;
  readonly xattrBytes: number;
}

const NANOS = 1_000_000_000n;

export function writeInode(into: Buffer, at: number, inode: Inode): void {
  into.writeUInt16LE(EXTENDED_PLAIN, at);
  into.writeUInt16LE(inode.xattrBytes === 0 ? 0 : (inode.xattrBytes - XATTR_HEADER) / 4 + 1, at + 2);
  into.writeUInt16LE(inode.mode, at + 4);
  into.writeBigUInt64LE(BigInt(inode.size), at + 8);
  into.writeUInt32LE(inode.union >>> 0, at + 16);
  into.writeUInt32LE(inode.number, at + 20);
  into.writeUInt32LE(inode.uid >>> 0, at + 24);
  into.writeUInt32LE(inode.gid >>> 0, at + 28);
  // Times before the epoch too: rounded down, the nanoseconds stay positive.
  const nanos = ((inode.mtime % NANOS) + NANOS) % NANOS;
  into.writeBigInt64LE((inode.mtime - nanos) / NANOS, at + 32);
  into.writeUInt32LE(Number(nanos), at + 40);
  into.writeUInt32LE(inode.links, at + 44);
}

/** Linux's new_encode_dev. */
export function deviceNumber(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

interface XattrEntry {
  readonly index: number;
  readonly name: Buffer;
  readonly value: Uint8Array;
}

function entriesOf(xattrs: ReadonlyMap<string, Uint8Array>): readonly XattrEntry[] {
  return [...xattrs].map(([full, value]) => {
    const [prefix, index] = XATTR_PREFIXES.find(([one]) => full.startsWith(one)) ?? ["", 0];
    return { index, name: Buffer.from(full.slice(prefix.length)), value };
  });
}

/** Bytes that a file's attributes take behind its inode. */
export function xattrSize(xattrs: ReadonlyMap<string, Uint8Array>): number {
  if (xattrs.size === 0) return 0;
  return entriesOf(xattrs).reduce(
    (sum, { name, value }) => sum + aligned(XATTR_ENTRY + name.length + value.length, 4),
    XATTR_HEADER,
  );
}

export function writeXattrs(into: Buffer, from: number, xattrs: ReadonlyMap<string, Uint8Array>): void {
  let at = from + XATTR_HEADER;
  for (const { index, name, value } of entriesOf(xattrs)) {
    into.writeUInt8(name.length, at);
    into.writeUInt8(index, at + 1);
    into.writeUInt16LE(value.length, at + 2);
    into.set(name, at + XATTR_ENTRY);
    into.set(value, at + XATTR_ENTRY + name.length);
    at += aligned(XATTR_ENTRY + name.length + value.length, 4);
  }
}

export function aligned(size: number, unit: number): number {
  return Math.ceil(size / unit) * unit;
}
