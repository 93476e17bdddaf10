import { createReadStream } from "node:fs";
import type { Digest } from "../../base/mod.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../spec/mod.ts";
import type { ReadTransaction } from "../../store/mod.ts";
import type { Context } from "../context.ts";
import { type ImageObject, imageKind, type StoredManifest } from "../objects.ts";
import { parallelGzip } from "./parallel-gzip.ts";

const READ_SIZE = 1 << 20;
const PLAIN: ReadonlyMap<string, string> = new Map([
  [mediaTypes.ociLayer, mediaTypes.ociLayerGzip],
  [mediaTypes.dockerLayer, mediaTypes.dockerLayerGzip],
]);

/** A manifest as it is to be sent: one that came, unchanged, or one with compressed layers made for sending. */
export interface Outgoing {
  readonly stored: StoredManifest;
  readonly bytes: Uint8Array;
}

/** Compresses one layer; `onBytes` is told how much of it was read. */
export type Compress = (layer: Descriptor, diffId: Digest) => Promise<Descriptor>;

/**
 * The manifest of an image for a registry. What came from one (or from an archive with compressed layers) goes out as it
 * is; layers made here are plain, and are compressed first unless the same layer is known compressed already.
 */
export async function outgoingManifest(
  { store, content }: Context,
  image: ImageObject,
  preferred: Digest | undefined,
  compress: Compress,
): Promise<Outgoing> {
  const compressed = image.manifests.filter(({ layers }) => !layers.some(isPlain));
  const ready = compressed.find(({ descriptor }) => descriptor.digest === preferred) ?? compressed[0];
  if (ready) return { stored: ready, bytes: await content.read(ready.descriptor.digest) };
  const [made] = image.manifests;
  if (!made) throw new Error(`Image ${image.id} has no manifest`);
  const layers: Descriptor[] = [];
  for (const [at, layer] of made.layers.entries()) {
    const diffId = image.config.rootfs.diff_ids[at];
    if (diffId === undefined || !isPlain(layer)) layers.push(layer);
    else layers.push(store.view((tx) => knownCompressed(tx, diffId)) ?? (await compress(layer, diffId)));
  }
  const original = JSON.parse(Buffer.from(await content.read(made.descriptor.digest)).toString("utf8")) as Manifest;
  const bytes = Buffer.from(JSON.stringify({ ...original, layers }));
  const { digest, size } = await content.put(bytes);
  return { stored: { descriptor: { mediaType: made.descriptor.mediaType, digest, size }, layers }, bytes };
}

/** Compresses a plain layer into the content store. */
export async function compressLayer(
  { content }: Context,
  layer: Descriptor,
  onBytes: (current: number) => void,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const plain = createReadStream(content.path(layer.digest), { highWaterMark: READ_SIZE });
  const { digest, size } = await content.ingest(parallelGzip(counted(plain, onBytes)), undefined, signal);
  return { mediaType: PLAIN.get(layer.mediaType) ?? layer.mediaType, digest, size };
}

/** A layer as it goes to a registry: as it is where it is compressed, or known so, or else compressed now. */
export async function compressedLayer(
  context: Context,
  layer: Descriptor,
  diffId: Digest,
  signal: AbortSignal,
): Promise<Descriptor> {
  if (!isPlain(layer)) return layer;
  return (
    context.store.view((tx) => knownCompressed(tx, diffId)) ?? (await compressLayer(context, layer, () => {}, signal))
  );
}

/** The same layer, compressed, in another image or another manifest. */
function knownCompressed(tx: ReadTransaction, diffId: Digest): Descriptor | undefined {
  for (const { config, manifests } of tx.list(imageKind)) {
    const at = config.rootfs.diff_ids.indexOf(diffId);
    if (at < 0) continue;
    for (const { layers } of manifests) {
      const layer = layers[at];
      if (layer && !isPlain(layer)) {
        const { mediaType, digest, size } = layer;
        return { mediaType: ociType(mediaType), digest, size };
      }
    }
  }
  return undefined;
}

/** Manifests made here are OCI's, whose layers have OCI's types. */
function ociType(mediaType: string): string {
  return mediaType === mediaTypes.dockerLayerGzip ? mediaTypes.ociLayerGzip : mediaType;
}

function isPlain({ mediaType }: Descriptor): boolean {
  return PLAIN.has(mediaType);
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: (current: number) => void,
): AsyncGenerator<Uint8Array> {
  let current = 0;
  for await (const chunk of source) {
    current += chunk.byteLength;
    onBytes(current);
    yield chunk;
  }
}
