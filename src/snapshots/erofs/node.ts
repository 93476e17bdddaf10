import type { ByteName } from "../tree/names.ts";

/** What any file has. */
export interface Attributes {
  /** The low twelve bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since the epoch. */
  readonly mtime: bigint;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** A file of the tree, under however many names. */
export type FileNode =
  | { readonly type: "file"; readonly attributes: Attributes; readonly size: number; readonly offset: number }
  | { readonly type: "symlink"; readonly attributes: Attributes; readonly target: Uint8Array }
  | {
      readonly type: "char" | "block" | "fifo";
      readonly attributes: Attributes;
      readonly major: number;
      readonly minor: number;
    };

export interface FolderNode {
  readonly type: "directory";
  /** undefined: no member was about it yet. */
  attributes: Attributes | undefined;
  /** Nothing of the folder below shows through. */
  opaque: boolean;
  readonly children: Map<ByteName, Node>;
}

export type Node = FileNode | FolderNode;

export function newFolder(attributes?: Attributes): FolderNode {
  return { type: "directory", attributes, opaque: false, children: new Map() };
}

/** A name that hides what lower layers have: overlayfs's 0/0 device. */
export function newWhiteout(): FileNode {
  const attributes = { mode: 0, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() };
  return { type: "char", attributes, major: 0, minor: 0 };
}

export function isWhiteoutNode(node: Node): boolean {
  return node.type === "char" && node.major === 0 && node.minor === 0;
}
