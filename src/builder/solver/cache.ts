import type { Digest } from "../../base/mod.ts";
import type { Needs } from "../../images/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import { defineKind, type ReadTransaction, type StoredObject } from "../../store/mod.ts";

/**
 * A step whose result is known. `id`: its cache key, a digest of what it does and of the content it does it to.
 * `layer` undefined: it changed nothing.
 */
export interface BuildRecord extends StoredObject {
  readonly id: Digest;
  readonly layer?: {
    readonly diffId: Digest;
    readonly chainId: Digest;
    readonly blob: Descriptor;
    /** Bytes of its files. */
    readonly size: number;
  };
  /** Chain id of what it was done to. */
  readonly parent?: Digest;
  /** The key of a record that says the same: this one is only another way to it. */
  readonly sameAs?: Digest;
  /** For people: the step's name. */
  readonly description: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly usedAt: number;
  readonly uses: number;
}

export const buildRecordKind = defineKind<BuildRecord>("build-record");

/** What the build cache keeps from collection. */
export function neededByBuildCache(tx: ReadTransaction): Needs {
  const blobs = new Set<Digest>();
  const layers = new Set<Digest>();
  for (const { layer } of tx.list(buildRecordKind)) {
    if (!layer) continue;
    blobs.add(layer.blob.digest);
    layers.add(layer.chainId);
  }
  return { blobs, layers };
}
