import type { ChangeKind, HeldIds } from "../../snapshots/mod.ts";
import type { ImageConfig } from "../../spec/mod.ts";

/** One side of a comparison that is not an image: a container's mounted tree, say. */
export interface TreeSource {
  /** Where the tree is; undefined: an empty one. */
  readonly folder: string | undefined;
  /** What its owners are shown as on this host; absent: as they are. */
  readonly ids?: HeldIds | undefined;
  readonly config: Pick<ImageConfig, "config"> & Partial<ImageConfig>;
}

export interface FileState {
  readonly type: "file" | "directory" | "symlink" | "char" | "block" | "fifo" | "socket";
  /** Permission bits with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes; 0 for what is not a file. */
  readonly size: number;
  readonly linkTarget?: string;
  /** Of a device, as st_rdev. */
  readonly device?: number;
  /** Extended attributes by name, in base64; left out when there are none. */
  readonly attributes?: Readonly<Record<string, string>>;
}

export interface FileDifference {
  /** Absolute; bytes that are not UTF-8 replaced, exact in `rawPath` then. */
  readonly path: string;
  readonly rawPath?: Uint8Array;
  readonly kind: ChangeKind;
  readonly before?: FileState;
  readonly after?: FileState;
  /** Of a modified one, what differs. */
  readonly what?: readonly ("type" | "content" | "mode" | "owner" | "target" | "device" | "attributes")[];
}

/** One field of the configuration: `Env.PATH`, `Labels.version`, `Cmd`. A side that has it not is undefined. */
export interface ConfigDifference {
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

export interface PackageDifference {
  readonly name: string;
  readonly architecture: string;
  readonly before?: string;
  readonly after?: string;
}

export interface Difference {
  /** In order of path. */
  readonly files: readonly FileDifference[];
  readonly config: readonly ConfigDifference[];
  /** Debian packages. */
  readonly packages: readonly PackageDifference[];
}
