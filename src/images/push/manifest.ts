import type { Digest } from "../../base/mod.ts";
import { type Descriptor, type Manifest, mediaTypes } from "../../spec/mod.ts";
import type { ReadTransaction } from "../../store/mod.ts";
import type { Context } from "../context.ts";
import { type ImageObject, imageKind, type StoredManifest } from "../objects.ts";
import type { Gzip } from "./gzip.ts";

const PLAIN: ReadonlyMap<string, string> = new Map([
  [mediaTypes.ociLayer, mediaTypes.ociLayerGzip],
  [mediaTypes.dockerLayer, mediaTypes.dockerLayerGzip],
]);

/** A manifest as it is to be sent: one that came, unchanged, or one with compressed layers made for sending. */
export interface Outgoing {
  readonly stored: StoredManifest;
  readonly bytes: Uint8Array;
}

/**
 * The manifest an image goes out with. What came from a registry (or from an archive with compressed layers) goes out as
 * it is; layers made here are plain, and are sent compressed.
 */
export function manifestToSend(image: ImageObject, preferred: Digest | undefined): StoredManifest {
  const compressed = image.manifests.filter(({ layers }) => !layers.some(isPlain));
  const ready = compressed.find(({ descriptor }) => descriptor.digest === preferred) ?? compressed[0];
  const chosen = ready ?? image.manifests[0];
  if (!chosen) throw new Error(`Image ${image.id} has no manifest`);
  return chosen;
}

/** `chosen` with the layers that were sent. */
export async function withLayers(
  { content }: Context,
  chosen: StoredManifest,
  layers: readonly Descriptor[],
): Promise<Outgoing> {
  const bytes = await content.read(chosen.descriptor.digest);
  if (!chosen.layers.some(isPlain)) return { stored: chosen, bytes };
  const original = JSON.parse(Buffer.from(bytes).toString("utf8")) as Manifest;
  const made = Buffer.from(JSON.stringify({ ...original, layers }));
  const { digest, size } = await content.put(made);
  return { stored: { descriptor: { mediaType: chosen.descriptor.mediaType, digest, size }, layers }, bytes: made };
}

/**
 * A layer as it goes to a registry: as it is where it is compressed, or known so, or else compressed now into the content
 * store. `onBytes` is told how many of its bytes are.
 */
export async function compressedLayer(
  { store, content }: Context,
  gzip: Gzip,
  layer: Descriptor,
  diffId: Digest,
  onBytes: (current: number) => void,
  signal?: AbortSignal,
): Promise<Descriptor> {
  if (!isPlain(layer)) return layer;
  const known = store.view((tx) => knownCompressed(tx, diffId));
  if (known) return known;
  const compressed = gzip.file(content.path(layer.digest), layer.size, onBytes);
  const { digest, size } = await content.ingest(compressed, undefined, signal);
  return { mediaType: PLAIN.get(layer.mediaType) ?? layer.mediaType, digest, size };
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
