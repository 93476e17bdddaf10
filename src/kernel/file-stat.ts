export const S_IFMT = 0o170000;
export const S_IFIFO = 0o010000;
export const S_IFCHR = 0o020000;
export const S_IFDIR = 0o040000;
export const S_IFBLK = 0o060000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
export const S_IFSOCK = 0o140000;

export interface FileStat {
  /** Type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Units of 512 bytes on disk. */
  readonly blocks: number;
  readonly links: number;
  readonly inode: bigint;
  /** Of the file system. */
  readonly device: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly ctime: bigint;
  /** Of a device node. */
  readonly deviceMajor: number;
  readonly deviceMinor: number;
}

export const STATX_BYTES = 256;

/** Reads struct statx (statx(2)), the one stat structure that is the same on every architecture. */
export function statFrom(buffer: Uint8Array): FileStat {
  const view = new DataView(buffer.buffer, buffer.byteOffset, STATX_BYTES);
  const time = (at: number): bigint =>
    view.getBigInt64(at, true) * 1_000_000_000n + BigInt(view.getUint32(at + 8, true));
  return {
    mode: view.getUint16(28, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: Number(view.getBigUint64(40, true)),
    blocks: Number(view.getBigUint64(48, true)),
    links: view.getUint32(16, true),
    inode: view.getBigUint64(32, true),
    device: view.getUint32(136, true) * 2 ** 20 + view.getUint32(140, true),
    mtime: time(112),
    ctime: time(96),
    deviceMajor: view.getUint32(128, true),
    deviceMinor: view.getUint32(132, true),
  };
}

export const isDirectory = (stat: FileStat): boolean => (stat.mode & S_IFMT) === S_IFDIR;
export const isRegular = (stat: FileStat): boolean => (stat.mode & S_IFMT) === S_IFREG;
export const isSymlink = (stat: FileStat): boolean => (stat.mode & S_IFMT) === S_IFLNK;
