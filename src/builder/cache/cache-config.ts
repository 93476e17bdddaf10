import { type Digest, HavreError, isDigest } from "../../base/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";

/** BuildKit's media type of what a cache knows (moby/buildkit, docs/cache: "cacheconfig"). */
export const CACHE_CONFIG = "application/vnd.buildkit.cacheconfig.v0";
/** Where an image's configuration carries a cache of the image's own layers. */
export const INLINE_FIELD = "moby.buildkit.cache.v0";

/** A layer of a cache (BuildKit's `CacheLayer`). */
export interface CacheLayer {
  readonly blob: Digest;
  /** Index of the layer below it; -1: none. */
  readonly parent: number;
  readonly annotations: {
    readonly mediaType: string;
    readonly diffID: Digest;
    readonly size: number;
    readonly createdAt: string;
  };
}

/**
 * What a key comes to (BuildKit's `CacheRecord`). BuildKit's keys name its own operations, ours are made of contents: records of the one
 * are read by the other and never fit.
 */
export interface CacheRecord {
  readonly digest: Digest;
  readonly layers?: readonly { readonly layer: number; readonly createdAt: string }[];
  /** In an image: positions of its layers. */
  readonly chains?: readonly { readonly layers: readonly number[]; readonly createdAt: string }[];
  /** Beyond BuildKit's: what is known of a step whose layer is not in the cache, too. */
  readonly havre: {
    /** Absent: it changed nothing. */
    readonly diffId?: Digest;
    /** Milliseconds since the epoch. */
    readonly createdAt: number;
  };
}

export interface CacheConfig {
  readonly layers?: readonly CacheLayer[];
  readonly records: readonly CacheRecord[];
  /** Folders of `RUN --mount=type=cache`, each as an archive. */
  readonly havre?: { readonly folders: readonly { readonly id: string; readonly blob: Descriptor }[] };
}

/** A cache's document; what it has of others' records is passed over. `invalid-argument` when it is none. */
export function parseCacheConfig(bytes: Uint8Array): CacheConfig {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString());
  } catch (cause) {
    throw new HavreError("invalid-argument", "The cache's document is no JSON", { cause });
  }
  const { layers, records, havre } = asObject(value);
  return {
    layers: asList(layers).flatMap(layerOf),
    records: asList(records).flatMap(recordOf),
    havre: { folders: asList(asObject(havre).folders).flatMap(folderOf) },
  };
}

function layerOf(value: unknown): readonly CacheLayer[] {
  const { blob, parent, annotations } = asObject(value);
  const { mediaType, diffID, size, createdAt } = asObject(annotations);
  // Numbers of layers are used: none may be left out.
  if (typeof blob !== "string" || !isDigest(blob))
    throw new HavreError("invalid-argument", "A cached layer has no blob");
  return [
    {
      blob,
      parent: typeof parent === "number" ? parent : 0,
      annotations: {
        mediaType: String(mediaType ?? ""),
        diffID: (typeof diffID === "string" && isDigest(diffID) ? diffID : blob) as Digest,
        size: typeof size === "number" ? size : 0,
        createdAt: String(createdAt ?? ""),
      },
    },
  ];
}

function recordOf(value: unknown): readonly CacheRecord[] {
  const { digest, havre } = asObject(value);
  const { diffId, createdAt } = asObject(havre);
  if (typeof digest !== "string" || !isDigest(digest) || typeof createdAt !== "number") return [];
  if (diffId !== undefined && (typeof diffId !== "string" || !isDigest(diffId))) return [];
  return [{ digest, havre: { createdAt, ...(diffId === undefined ? {} : { diffId }) } }];
}

function folderOf(value: unknown): readonly { readonly id: string; readonly blob: Descriptor }[] {
  const { id, blob } = asObject(value);
  const { mediaType, digest, size } = asObject(blob);
  if (typeof id !== "string" || typeof digest !== "string" || !isDigest(digest) || typeof size !== "number") return [];
  return [{ id, blob: { mediaType: String(mediaType), digest, size } }];
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
