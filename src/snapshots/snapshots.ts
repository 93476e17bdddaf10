import type { Digest } from "../base/mod.ts";
import type { UserNamespace } from "../kernel/mod.ts";
import type { HeldIds } from "./tree/held-ids.ts";

export type { HeldIds };

/** One mount(2) to do, in order; the last one is the tree. */
export interface Mount {
  readonly type: string;
  readonly source: string;
  /** Options as in /etc/fstab; flags (`ro`, `bind`, …) among them. */
  readonly options: readonly string[];
}

export interface AppliedLayer {
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  readonly chainId: Digest;
  /** Bytes of regular file content in this layer. */
  readonly size: number;
}

/**
 * Where a layer's uncompressed tar comes from: as a stream, or from a file that never changes and may be linked to, such
 * as a blob.
 */
export type LayerSource = AsyncIterable<Uint8Array> | { readonly file: string };

export type ChangeKind = "modified" | "added" | "deleted";
export interface FileChange {
  /** Absolute path inside the tree; bytes that are not UTF-8 as `latin1` in `rawPath`. */
  readonly path: string;
  readonly rawPath?: Uint8Array;
  readonly kind: ChangeKind;
}

/** `whole`: all is as it was made. `unpacked`: a tree of files that was not read since it was made: nothing to compare with yet. */
export type LayerCheck = "whole" | "unpacked";

export interface Usage {
  /** Bytes on disk. */
  readonly size: number;
  /** Bytes of files as `ls -l` shows them, folders not counted: what Docker calls the size. */
  readonly content: number;
  readonly inodes: number;
}

/**
 * Layers as trees. A committed layer is named by its chain id and never changes; a writable one is named by a key
 * (the container's id) and stands on a chain. How trees are kept (unpacked, or mounted from the tar) is the
 * implementation's business.
 */
export interface Snapshotter {
  has(chainId: Digest): boolean;
  /**
   * Makes the layer `parent + tar` (uncompressed tar, with OCI whiteouts). Verifies `diffId` when given (`data-loss`).
   * `invalid-argument` for an archive that is malformed or escapes; `resource-exhausted` beyond the limits.
   * Concurrent calls for one chain id do the work once. On failure nothing is left.
   */
  apply(parent: Digest | undefined, tar: LayerSource, diffId?: Digest, signal?: AbortSignal): Promise<AppliedLayer>;
  /** Reads a whole layer. `data-loss` names it when it is not what it was made as; `not-found`. */
  check(chainId: Digest, signal?: AbortSignal): Promise<LayerCheck>;
  /** Creates the writable layer `key` on `parent` (undefined: on nothing). Survives kill -9: either whole or collected. */
  prepare(key: string, parent: Digest | undefined): Promise<void>;
  /** Mounts to do to see the writable layer `key`. */
  mounts(key: string): readonly Mount[];
  /**
   * Mounts the writable layer `key` at its own place and returns the folder; free of effect when it is mounted. `owners`:
   * everything in it is shown as owned by whom this namespace maps the owner to, and kept as always.
   * `data-loss` names a layer whose files were changed; `failed-precondition` where the kernel or a file system cannot show owners so.
   */
  mount(key: string, owners?: UserNamespace): Promise<string>;
  /** The folder where `mount` puts `key`, or has put it. */
  mountPoint(key: string): string;
  unmount(key: string): Promise<void>;
  /** Read-only view of a committed layer for the duration of `use`: mounted at a private place, gone afterwards. */
  withView<T>(chainId: Digest | undefined, use: (folder: string) => Promise<T>): Promise<T>;
  /** What `key` changed against its parent. */
  changes(key: string): AsyncIterable<FileChange>;
  /** The writable layer `key` as a tar with OCI whiteouts: a new layer's bytes. */
  diff(key: string): AsyncIterable<Uint8Array>;
  /**
   * Makes the writable layer `key` itself the layer on its parent that `diff` wrote: nothing is copied, and the key is
   * gone. Nobody writes to it any more; it is not mounted. `diffId`: the digest of what `diff` gave.
   */
  commit(key: string, diffId: Digest): Promise<AppliedLayer>;
  /** Bytes used by the writable layer `key` itself. */
  usage(key: string): Promise<Usage>;
  /** Bytes of one committed layer itself. `not-found`. */
  layerUsage(chainId: Digest): Usage;
  /** Unmounts and removes the writable layer; fast: files go in the background. Free of effect when it is not here. */
  remove(key: string): Promise<void>;
  /** Names of writable layers. */
  keys(): readonly string[];
  /** Layers that the writable layer `key` stands on, highest first. */
  standsOn(key: string): readonly Digest[];
  layers(): readonly Digest[];
  /**
   * Keeps every layer applied from now on, or found here by `has`, from collection until disposed: hold one while an
   * image is assembled and not yet named.
   */
  hold(): Disposable;
  /** Removes committed layers for which `needed` is false, that are not held, and that no kept or writable layer stands on. */
  collect(needed: (chainId: Digest) => boolean): Promise<readonly Digest[]>;
  /** After a start: undoes what a killed daemon left half-made (partial layers, removed trees not yet deleted). */
  recover(): Promise<void>;
}

/** One path inside a tree, found without ever leaving it (links resolved as if the tree were `/`). */
export interface TreeEntry {
  /** Last component of the path as asked. */
  readonly name: string;
  readonly size: number;
  /** st_mode. */
  readonly mode: number;
  /** Milliseconds since the epoch, fractional. */
  readonly mtime: number;
  /** Of a symbolic link, resolved inside the tree; else "". */
  readonly linkTarget: string;
}
export interface UnpackOptions {
  /** Refuse to replace a folder by something else and the reverse (Docker's noOverwriteDirNonDir). */
  readonly noOverwriteDirNonDir: boolean;
  /** Give everything this owner instead of the archive's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** What the tree's owners are shown as on this host; absent: as they are. The archive's are the tree's own. */
  readonly ids?: HeldIds;
}
