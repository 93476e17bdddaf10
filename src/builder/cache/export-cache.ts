import { type Digest, digestOf, rfc3339Nano } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { Artifacts, ImageLayer, OutgoingBlob } from "../../images/mod.ts";
import { type Descriptor, mediaTypes } from "../../spec/mod.ts";
import type { CacheFolders } from "../ops/cache-folders.ts";
import type { RememberedSteps, SolvedStep } from "../solver/remembered.ts";
import type { Solved } from "../solver/solver.ts";
import type { LayeredTree } from "../solver/tree.ts";
import { CACHE_CONFIG, type CacheConfig, type CacheLayer, type CacheRecord } from "./cache-config.ts";
import type { CacheTransport } from "./transport.ts";

/** What of a build goes into a cache. */
export interface CacheExport {
  readonly transport: CacheTransport;
  /** Layers of the result only, or those of every step. Steps are told of either way. */
  readonly mode: "min" | "max";
  /** Cache folders of `RUN --mount`, too. */
  readonly folders: boolean;
  /** The build is good though its cache could not be exported. */
  readonly ignoresErrors: boolean;
  /** Runs the export where it is told of. */
  told(work: () => Promise<void>): Promise<void>;
}

export interface ExportParts {
  readonly content: ContentStore;
  readonly artifacts: Artifacts;
  readonly folders: CacheFolders;
}

const EMPTY = { mediaType: "application/vnd.oci.empty.v1+json", bytes: Buffer.from("{}") };

/** Sends what a build found out, as an image manifest in BuildKit's format of caches. */
export async function exportCache(
  { content, artifacts, folders }: ExportParts,
  solved: Solved,
  ends: readonly LayeredTree[],
  remembered: readonly RememberedSteps[],
  { transport, mode, folders: withFolders }: CacheExport,
  signal: AbortSignal,
): Promise<void> {
  const wanted = new Set(ends.flatMap(({ layers }) => layers.map(({ chainId }) => chainId)));
  const blobs = new Map<Digest, OutgoingBlob>();
  const layers: CacheLayer[] = [];
  const numbers = new Map<Digest, number>();
  for (const { layer, parent, createdAt } of solved.steps) {
    if (!layer || numbers.has(layer.chainId) || (mode === "min" && !wanted.has(layer.chainId))) continue;
    const blob = await blobOf(layer);
    if (!blob) continue;
    const { mediaType, digest, size } = blob.descriptor;
    const created = rfc3339Nano(createdAt);
    const annotations = { "buildkit/createdat": created, "containerd.io/uncompressed": layer.diffId };
    blobs.set(digest, { ...blob, descriptor: { mediaType, digest, size, annotations } });
    const below = parent.layers.at(-1)?.chainId;
    numbers.set(layer.chainId, layers.length);
    layers.push({
      blob: digest,
      parent: below === undefined ? -1 : (numbers.get(below) ?? -1),
      annotations: { mediaType, diffID: layer.diffId, size, createdAt: created },
    });
  }
  const packed = withFolders ? await packFolders() : [];
  for (const { blob, id } of packed) {
    const annotations = { "havre.cache-folder": id };
    blobs.set(blob.digest, { descriptor: { ...blob, annotations } });
  }
  const config: CacheConfig = {
    layers,
    records: recordsOf(solved.steps, numbers),
    ...(packed.length === 0 ? {} : { havre: { folders: packed } }),
  };
  await transport.send(await manifestOf(content, config, [...blobs.values()]), signal);

  async function blobOf(layer: ImageLayer): Promise<OutgoingBlob | undefined> {
    if (solved.isHere(layer)) return { descriptor: await artifacts.compressed(layer, signal) };
    for (const cache of remembered) {
      const descriptor = cache.blob(layer.diffId);
      if (descriptor) return { descriptor, bring: (stop) => cache.fetch(descriptor, stop) };
    }
    return undefined;
  }

  async function packFolders() {
    const found: { readonly id: string; readonly blob: Descriptor }[] = [];
    for (const id of [...solved.folders].sort()) {
      const blob = await folders.pack(id, (archive) => artifacts.compress(archive, signal), signal);
      if (blob) found.push({ id, blob: { mediaType: mediaTypes.ociLayerGzip, ...blob } });
    }
    return found;
  }
}

function recordsOf(steps: readonly SolvedStep[], numbers: ReadonlyMap<Digest, number>): readonly CacheRecord[] {
  const records = new Map<Digest, CacheRecord>();
  for (const { keys, layer, createdAt } of steps) {
    const number = layer && numbers.get(layer.chainId);
    for (const digest of keys) {
      records.set(digest, {
        digest,
        ...(number === undefined ? {} : { layers: [{ layer: number, createdAt: rfc3339Nano(createdAt) }] }),
        havre: { createdAt, ...(layer ? { diffId: layer.diffId } : {}) },
      });
    }
  }
  return [...records.values()].sort((a, b) => (a.digest < b.digest ? -1 : 1));
}

async function manifestOf(content: ContentStore, config: CacheConfig, blobs: readonly OutgoingBlob[]) {
  const document = Buffer.from(JSON.stringify(config));
  const described = { mediaType: CACHE_CONFIG, digest: digestOf(document), size: document.length };
  await content.put(document);
  // A manifest is to have a layer.
  const layers =
    blobs.length > 0 ? blobs : [{ descriptor: { mediaType: EMPTY.mediaType, ...(await content.put(EMPTY.bytes)) } }];
  const manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: described,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  return {
    mediaType: mediaTypes.ociManifest,
    bytes: Buffer.from(JSON.stringify(manifest)),
    blobs: [...layers, { descriptor: described }],
  };
}

/** The cache that an image carries of its own layers, as its configuration has it. `latest`: what no time in it is later than. */
export function inlineCache(steps: readonly SolvedStep[], { layers }: LayeredTree, latest: number | undefined): string {
  const at = new Map(layers.map(({ chainId }, index) => [chainId, index]));
  const chains = new Map(
    steps.flatMap(({ keys, layer }) => {
      const index = layer && at.get(layer.chainId);
      return index === undefined ? [] : keys.map((key) => [key, index] as const);
    }),
  );
  const inlined = recordsOf(steps, new Map()).map(({ digest, havre }): CacheRecord => {
    const index = chains.get(digest);
    const createdAt = Math.min(havre.createdAt, latest ?? havre.createdAt);
    const positions = Array.from({ length: (index ?? -1) + 1 }, (_, number) => number);
    return {
      digest,
      ...(index === undefined ? {} : { chains: [{ layers: positions, createdAt: rfc3339Nano(createdAt) }] }),
      havre: { ...havre, createdAt },
    };
  });
  return Buffer.from(JSON.stringify({ records: inlined })).toString("base64");
}
