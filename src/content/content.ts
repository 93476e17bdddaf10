import type { Digest } from "../base/mod.ts";

export interface BlobInfo {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** What must hold of bytes being ingested; a mismatch is `data-loss` and leaves nothing behind. */
export interface Expected {
  readonly digest?: Digest;
  readonly size?: number;
}

/** A blob on its way in, in pieces. Disposal without `commit` keeps what came. */
export interface Ingest extends AsyncDisposable {
  /** Bytes here so far. */
  readonly offset: number;
  /** The file that what came is in, for readers that cannot wait for the blob; whole up to `offset` after a `flush`. */
  readonly path: string;
  write(chunk: Uint8Array): Promise<void>;
  /** Hands everything written to the kernel: after that the death of this process takes none of it. */
  flush(): Promise<void>;
  /** Makes it a blob, if it is what was promised; else `data-loss`, and nothing of it stays. */
  commit(expected?: Expected): Promise<BlobInfo>;
  /** Gives up what came. */
  discard(): Promise<void>;
}

/**
 * Blobs by digest. A blob is visible only when complete and verified; it never changes. Reading verifies again
 * (`data-loss` names the blob when a byte flipped).
 */
export interface ContentStore {
  has(digest: Digest): boolean;
  /** Size of a blob; undefined when it is not here. */
  info(digest: Digest): BlobInfo | undefined;
  /** Stores a stream and returns what it was. Storing what is here already is free of effect. */
  ingest(bytes: AsyncIterable<Uint8Array>, expected?: Expected, signal?: AbortSignal): Promise<BlobInfo>;
  /**
   * Begins a blob that may be interrupted, or goes on with one: what was written under the key is kept, over restarts
   * too, until it is committed, discarded, or was not touched for a day. `conflict` while another writes under the key.
   */
  resume(key: string): Promise<Ingest>;
  /** Stores small bytes (manifests, configurations). */
  put(bytes: Uint8Array, expected?: Expected): Promise<BlobInfo>;
  /** A whole small blob, verified. `not-found`; `resource-exhausted` above `limit` bytes (default 8 MiB). */
  read(digest: Digest, limit?: number): Promise<Uint8Array>;
  /** A verified stream: the last chunk is followed by `data-loss` when the digest does not fit. */
  stream(digest: Digest): AsyncIterable<Uint8Array>;
  /** The file that holds it, for readers that can take a path. The file is immutable. */
  path(digest: Digest): string;
  list(): Iterable<BlobInfo>;
  /** Removes a blob; free of effect when it is not here. Callers make sure that nothing needs it. */
  delete(digest: Digest): void;
  /**
   * Keeps every blob ingested from now on, or found here by `has` or `info`, from collection until disposed: hold one
   * while an image is assembled and not yet named.
   */
  hold(): Disposable;
  /** Removes blobs for which `needed` is false, except those held. Returns what was removed. */
  collect(needed: (digest: Digest) => boolean): BlobInfo[];
}
