import { createReadStream } from "node:fs";
import { type Digest, HavreError } from "../../base/mod.ts";
import { decompress, type ImageLayer, parseIndex, parseJson, parseManifest } from "../../images/mod.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../spec/mod.ts";
import type { OpContext } from "../ops/context.ts";
import type { Remembered, RememberedSteps } from "../solver/remembered.ts";
import { CACHE_CONFIG, INLINE_FIELD, parseCacheConfig } from "./cache-config.ts";
import type { CacheTransport } from "./transport.ts";

/** Images of an index whose own caches are looked at. */
const MOST_IMAGES = 16;
const READ_SIZE = 1 << 20;

/** A cache that was exported: its records are read at once, its layers and folders when they are needed. */
class ImportedCache implements RememberedSteps {
  readonly #ops: OpContext;
  readonly #transport: CacheTransport;
  readonly steps = new Map<Digest, Remembered>();
  readonly layers = new Map<Digest, Descriptor>();
  readonly folders = new Map<string, Descriptor>();

  constructor(ops: OpContext, transport: CacheTransport) {
    this.#ops = ops;
    this.#transport = transport;
  }

  find(key: Digest): Remembered | undefined {
    return this.steps.get(key);
  }

  blob(diffId: Digest): Descriptor | undefined {
    return this.layers.get(diffId);
  }

  fetch(blob: Descriptor, signal: AbortSignal): Promise<void> {
    return this.#transport.fetch(blob, signal);
  }

  async layer(diffId: Digest, below: Digest | undefined, signal: AbortSignal): Promise<ImageLayer | undefined> {
    const blob = this.layers.get(diffId);
    if (!blob) return undefined;
    const { content, snapshots } = this.#ops;
    await this.#transport.fetch(blob, signal);
    const bytes = createReadStream(content.path(blob.digest), { highWaterMark: READ_SIZE });
    const { chainId } = await snapshots.apply(below, decompress(bytes, signal), diffId, signal);
    return { diffId, chainId, blob, size: snapshots.layerUsage(chainId).content };
  }

  async folder(id: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined> {
    const blob = this.folders.get(id);
    if (!blob) return undefined;
    await this.#transport.fetch(blob, signal);
    return decompress(createReadStream(this.#ops.content.path(blob.digest), { highWaterMark: READ_SIZE }), signal);
  }
}

/** Opens a cache, or the one that an image carries. undefined: there is none. `invalid-argument` for what is no cache. */
export async function importCache(
  ops: OpContext,
  transport: CacheTransport,
  signal: AbortSignal,
): Promise<RememberedSteps | undefined> {
  const top = await transport.manifest(signal);
  if (!top) return undefined;
  const cache = new ImportedCache(ops, transport);
  const { descriptor, bytes } = top;
  const document = parseJson(bytes, `Manifest ${descriptor.digest}`);
  if (descriptor.mediaType !== mediaTypes.ociIndex && descriptor.mediaType !== mediaTypes.dockerManifestList) {
    await readManifest(cache, transport, parseManifest(document, `manifest ${descriptor.digest}`), signal);
    return cache;
  }
  const { manifests } = parseIndex(document, `index ${descriptor.digest}`);
  const own = manifests.find(({ mediaType }) => mediaType === CACHE_CONFIG);
  if (own) {
    readConfig(cache, await transport.document(own.digest, signal), manifests);
    return cache;
  }
  // An image for several platforms: each may carry a cache.
  for (const entry of manifests.slice(0, MOST_IMAGES)) {
    if (entry.annotations?.["vnd.docker.reference.type"] !== undefined) continue;
    const raw = await transport.manifest(signal, entry.digest);
    if (!raw) continue;
    const manifest = parseManifest(parseJson(raw.bytes, `Manifest ${entry.digest}`), `manifest ${entry.digest}`);
    await readManifest(cache, transport, manifest, signal);
  }
  return cache;
}

async function readManifest(
  cache: ImportedCache,
  transport: CacheTransport,
  { config, layers }: Manifest,
  signal: AbortSignal,
): Promise<void> {
  const bytes = await transport.document(config.digest, signal);
  if (config.mediaType === CACHE_CONFIG) return readConfig(cache, bytes, layers);
  if (config.mediaType !== mediaTypes.ociConfig && config.mediaType !== mediaTypes.dockerConfig) {
    throw new HavreError("invalid-argument", `${transport.name} is neither a cache nor an image`);
  }
  const image = parseJson(bytes, `Configuration ${config.digest}`) as Readonly<Record<string, unknown>>;
  const inline = image[INLINE_FIELD];
  if (typeof inline !== "string") return;
  const { diff_ids: diffIds = [] } = (image.rootfs ?? {}) as { readonly diff_ids?: readonly Digest[] };
  for (const [at, layer] of layers.entries()) {
    const diffId = diffIds[at];
    if (diffId !== undefined) cache.layers.set(diffId, plain(layer));
  }
  for (const { digest, havre } of parseCacheConfig(Buffer.from(inline, "base64")).records) {
    cache.steps.set(digest, { diffId: havre.diffId, createdAt: havre.createdAt });
  }
}

function readConfig(cache: ImportedCache, bytes: Uint8Array, blobs: readonly Descriptor[]): void {
  const { layers = [], records, havre } = parseCacheConfig(bytes);
  const known = new Map(blobs.map((blob) => [blob.digest, blob]));
  for (const { blob, annotations } of layers) {
    const descriptor = known.get(blob);
    if (descriptor) cache.layers.set(annotations.diffID, plain(descriptor));
  }
  for (const { digest, havre: step } of records) {
    cache.steps.set(digest, { diffId: step.diffId, createdAt: step.createdAt });
  }
  for (const { id, blob } of havre?.folders ?? []) cache.folders.set(id, blob);
}

function plain({ mediaType, digest, size }: Descriptor): Descriptor {
  return { mediaType, digest, size };
}
