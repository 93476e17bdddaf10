import { HavreError } from "../../base/mod.ts";

export const BLOCK = 512;

export type TarType = "file" | "hardlink" | "symlink" | "char" | "block" | "directory" | "fifo";

/** A stretch of a sparse file that has data. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** One member of an archive, whatever dialect it was written in. */
export interface TarHeader {
  readonly type: TarType;
  /** As in the archive, decoded as UTF-8 (lossy); `rawPath` is exact. */
  readonly path: string;
  readonly rawPath: Uint8Array;
  /** Of links; empty for the rest. */
  readonly linkTarget: string;
  readonly rawLinkTarget: Uint8Array;
  /** Permission bits with setuid, setgid and sticky: the low twelve. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Bytes of the file as it is read, holes included. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Where a sparse file has data, ascending; absent for a plain one. */
  readonly extents?: readonly Extent[];
}

/** What to write; everything left out is zero or empty, `mode` 0644 or 0755 for a folder, `type` file. */
export interface TarHeaderInit {
  readonly path: string | Uint8Array;
  readonly type?: TarType;
  readonly linkTarget?: string | Uint8Array;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly uname?: string;
  readonly gname?: string;
  readonly size?: number;
  readonly mtime?: bigint;
  readonly devMajor?: number;
  readonly devMinor?: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
  readonly extents?: readonly Extent[];
}

/** What an archive may ask for before it is refused with `resource-exhausted`. */
export interface TarLimits {
  /** Bytes of one extended header, long name or sparse map. */
  readonly extensionBytes: number;
  /** Members. */
  readonly entries: number;
  /** Bytes of file content stored in the archive. */
  readonly contentBytes: number;
}

export const DEFAULT_TAR_LIMITS: TarLimits = {
  extensionBytes: 1 << 20,
  // Folders are remembered until the end, for their times.
  entries: 2_000_000,
  contentBytes: 2 ** 40,
};

/** The archive breaks its format; `position` is the byte where. */
export function malformed(what: string, position: number): HavreError {
  return new HavreError("invalid-argument", `Malformed tar archive at byte ${position}: ${what}`, {
    hint: "Check that the file is an uncompressed tar and is complete",
  });
}

export function beyondLimit(what: string, limit: number): HavreError {
  return new HavreError("resource-exhausted", `Tar archive refused: more than ${limit} ${what}`);
}

/** The bytes of one block after `size` bytes of content. */
export function paddingAfter(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}
