import type { Digest } from "../base/mod.ts";
import type { BlobInfo } from "../content/mod.ts";
import type { ReadTransaction, WriteTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import { type ImageObject, imageKind, layerKind } from "./objects.ts";

export interface Collected {
  readonly blobs: readonly BlobInfo[];
  readonly layers: readonly Digest[];
}

/** What must not be collected. */
export interface Needs {
  readonly blobs: ReadonlySet<Digest>;
  readonly layers: ReadonlySet<Digest>;
}

/**
 * Decides what may be collected. Kept are the blobs and layers of every image object (those removed but still within the
 * retention of history among them), and what others of the store's objects name (the build cache); by the content store and the snapshotter themselves also what work in progress
 * holds and what a container stands on.
 */
export class Keeper {
  readonly #context: Omit<Context, "keeper">;
  #collecting: Promise<Collected> | undefined;

  constructor(context: Omit<Context, "keeper">) {
    this.#context = context;
  }

  /** Removes every blob and layer that nothing needs. One pass at a time. */
  async collect(): Promise<Collected> {
    while (this.#collecting) await this.#collecting.catch(() => undefined);
    this.#collecting = this.#collect();
    try {
      return await this.#collecting;
    } finally {
      this.#collecting = undefined;
    }
  }

  async #collect(): Promise<Collected> {
    await this.#forgetRemoved();
    const { store, content, snapshots } = this.#context;
    const needed = store.view((tx) => [neededByImages(tx), this.#context.otherNeeds(tx)]);
    return {
      blobs: content.collect((digest) => needed.some(({ blobs }) => blobs.has(digest))),
      layers: await snapshots.collect((chainId) => needed.some(({ layers }) => layers.has(chainId))),
    };
  }

  /** Removed images whose time for a rollback is over. */
  async #forgetRemoved(): Promise<void> {
    const { store, clock, retention } = this.#context;
    const now = clock.now();
    const isOver = ({ removedAt, keep = retention }: ImageObject) => removedAt !== undefined && removedAt + keep <= now;
    if (!store.view((tx) => tx.list(imageKind).some(isOver))) return;
    await store.update((tx) => {
      for (const image of tx.list(imageKind)) if (isOver(image)) tx.delete(imageKind, image.id);
      forgetLayers(tx);
    });
  }
}

/** Blobs and layers that image objects name. */
export function neededByImages(tx: ReadTransaction): Needs {
  const blobs = new Set<Digest>();
  const layers = new Set<Digest>();
  for (const image of tx.list(imageKind)) {
    for (const digest of blobsOf(image)) blobs.add(digest);
    for (const { document } of image.attestations ?? []) blobs.add(document.digest);
    for (const chainId of image.chain) layers.add(chainId);
  }
  return { blobs, layers };
}

/** Every blob that an image is made of: configuration, manifests with the index they came from, layers. */
export function blobsOf(image: ImageObject): readonly Digest[] {
  const digests = new Set<Digest>([image.id]);
  for (const { descriptor, layers, index } of image.manifests) {
    digests.add(descriptor.digest);
    if (index) digests.add(index.digest);
    for (const layer of layers) digests.add(layer.digest);
  }
  return [...digests];
}

/** Forgets how layers came here that no image names any more. */
export function forgetLayers(tx: WriteTransaction): void {
  const { layers } = neededByImages(tx);
  for (const layer of tx.list(layerKind)) if (!layers.has(layer.id)) tx.delete(layerKind, layer.id);
}
