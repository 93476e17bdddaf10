import type { Digest } from "../../../base/mod.ts";
import type { ByteName, TarType } from "../../../snapshots/mod.ts";

/** A file of a source as it is itself: links are not followed. */
export interface SourceFile {
  /** Below the top, without slash at either end; "" is the top. */
  readonly path: ByteName;
  readonly type: Exclude<TarType, "hardlink">;
  /** The low twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly size: number;
  /** Of a symbolic link. */
  readonly linkTarget: ByteName;
  readonly devMajor: number;
  readonly devMinor: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** The same for names of one file; undefined when it has one name only. */
  readonly identity: string | undefined;
}

/** Files to copy from, wherever they are: a client's context, a stage's tree, a download. */
export interface FileSource {
  /** What is at a path, no link on the way followed; undefined: nothing. */
  stat(path: ByteName): SourceFile | undefined;
  /** Names in a folder, sorted by their bytes. */
  list(path: ByteName): readonly ByteName[];
  /** Digest of a regular file's content. */
  digest(file: SourceFile): Digest;
  read(file: SourceFile): Iterable<Uint8Array>;
}
