import { createReadStream } from "node:fs";
import { chainIds, type Digest, HavreError, toHavreError } from "../base/mod.ts";
import { type Descriptor, type ImageConfig, type Manifest, mediaTypes } from "../spec/mod.ts";
import { compressionOf, decompress } from "./compression.ts";
import type { Context } from "./context.ts";
import type { Origin } from "./objects.ts";
import type { NewImage, NewLayer } from "./record.ts";

const READ_SIZE = 1 << 20;

/** A layer of an image being put together: the blob it comes as and the tree it makes. */
export interface AssembledLayer extends NewLayer {
  readonly chainId: Digest;
  readonly blob: Descriptor;
}

/**
 * An image while its parts arrive: nothing that was ingested or applied through it is collected before it is disposed.
 * In order: blobs, layers, then (in one transaction of the caller) the image and its tags. A process killed between
 * leaves blobs and layers that nothing names, which the next collection takes.
 */
export class Assembly implements Disposable {
  readonly #context: Context;
  readonly #held = new DisposableStack();

  constructor(context: Context) {
    this.#context = context;
    this.#held.use(context.content.hold());
    this.#held.use(context.snapshots.hold());
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }

  /** Makes the layer `diffIds.at(-1)` on those before it from a blob that is here, compressed or not. */
  async layer(
    diffIds: readonly Digest[],
    blob: Descriptor,
    signal?: AbortSignal,
    onMake?: (bytes: number) => void,
  ): Promise<AssembledLayer> {
    const { content, snapshots } = this.#context;
    const chain = chainIds(diffIds);
    const [parent, chainId] = [chain.at(-2), chain.at(-1)];
    const diffId = diffIds.at(-1);
    if (chainId === undefined || diffId === undefined) throw new HavreError("internal", "A layer without a diff id");
    if (!snapshots.has(chainId)) {
      const file = content.path(blob.digest);
      // The digest of the tar is checked while it is applied, so the blob is not hashed a second time here.
      const bytes = () => counted(createReadStream(file, { highWaterMark: READ_SIZE }), onMake);
      const source = (await compressionOf(file)) === "none" ? { file } : decompress(bytes(), signal);
      await snapshots.apply(parent, source, diffId, signal);
    }
    return { diffId, chainId, blob, size: snapshots.layerUsage(chainId).content };
  }

  /** Makes a layer on `parent` from a tar that is still arriving; the tar is kept as the layer's blob. */
  async layerFrom(
    parent: Digest | undefined,
    tar: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<AssembledLayer> {
    const { content, snapshots } = this.#context;
    const blob = await content.ingest(tar, undefined, signal);
    const { diffId, chainId } = await snapshots.apply(parent, { file: content.path(blob.digest) }, blob.digest, signal);
    const size = snapshots.layerUsage(chainId).content;
    return { diffId, chainId, blob: { mediaType: mediaTypes.ociLayer, ...blob }, size };
  }

  /** Stores configuration and manifest of an image made here. */
  async seal(
    config: ImageConfig,
    layers: readonly AssembledLayer[],
    origin: Origin,
    parent?: Digest,
  ): Promise<NewImage> {
    const bytes = Buffer.from(JSON.stringify(config));
    const blob = await this.#context.content.put(bytes);
    return this.describe(config, blob.digest, bytes.length, layers, origin, parent);
  }

  /**
   * Describes an image whose configuration is a blob already. Without a manifest as received one is made, the one
   * Docker 26 would write for it.
   */
  async describe(
    config: ImageConfig,
    id: Digest,
    configSize: number,
    layers: readonly AssembledLayer[],
    origin: Origin,
    parent?: Digest,
    received?: NewImage["manifest"],
  ): Promise<NewImage> {
    const manifest = received ?? (await this.#makeManifest(id, configSize, layers));
    return {
      image: {
        id,
        config,
        configSize,
        chain: layers.map((layer) => layer.chainId),
        origin,
        ...(parent === undefined ? {} : { parent }),
      },
      manifest,
      layers: layers.map(({ diffId, size, container }) => ({
        diffId,
        size,
        ...(container === undefined ? {} : { container }),
      })),
    };
  }

  async #makeManifest(
    id: Digest,
    configSize: number,
    layers: readonly AssembledLayer[],
  ): Promise<NewImage["manifest"]> {
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      config: { mediaType: mediaTypes.ociConfig, digest: id, size: configSize },
      layers: layers.map((layer) => layer.blob),
    };
    const blob = await this.#context.content.put(Buffer.from(JSON.stringify(manifest)));
    return { descriptor: { mediaType: mediaTypes.ociManifest, ...blob }, layers: manifest.layers };
  }
}

/** Runs `work` with an assembly; what a failed one left behind is collected before the failure goes on. */
export async function assemble<T>(context: Context, work: (assembly: Assembly) => Promise<T>): Promise<T> {
  try {
    using assembly = new Assembly(context);
    return await work(assembly);
  } catch (error) {
    const cause = toHavreError(error);
    await context.keeper.collect().catch((failure) => cause.cleanUpFailures.push(failure));
    throw cause;
  }
}

async function* counted(
  source: AsyncIterable<Uint8Array>,
  onBytes: ((bytes: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let total = 0;
  for await (const chunk of source) {
    total += chunk.byteLength;
    onBytes?.(total);
    yield chunk;
  }
}
