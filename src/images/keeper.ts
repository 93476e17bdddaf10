import type { Digest } from "../base/mod.ts";
import type { BlobInfo, ContentStore } from "../content/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import type { ReadTransaction, Store, WriteTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import { type ImageObject, imageKind, layerKind } from "./objects.ts";

export interface Collected {
  readonly blobs: readonly BlobInfo[];
  readonly layers: readonly Digest[];
}

/**
 * Decides what may be collected. Kept are the blobs and layers of every image object (those removed but still within the
 * retention of history among them), of work in progress, and, by the snapshotter itself, layers under a container.
 *
 * Work in progress names its layers before it looks for them (`claim`); a claim waits for a running collection, so a
 * layer that was found is never taken away underneath.
 */
export class Keeper {
  readonly #store: Store;
  readonly #content: ContentStore;
  readonly #snapshots: Snapshotter;
  readonly #forgetBefore: () => number;
  readonly #claims = new Map<Digest, number>();
  #unnamed = 0;
  #collecting: Promise<Collected> | undefined;

  constructor({
    store,
    content,
    snapshots,
    clock,
    retention,
  }: Omit<Context, "keeper" | "users" | "platform" | "emit">) {
    this.#store = store;
    this.#content = content;
    this.#snapshots = snapshots;
    this.#forgetBefore = () => clock.now() - retention;
  }

  /** Keeps the layer `chainId`, here already or yet to be made, until disposed. */
  async claim(chainId: Digest): Promise<Disposable> {
    while (this.#collecting) await this.#collecting.catch(() => undefined);
    this.#claims.set(chainId, (this.#claims.get(chainId) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = (this.#claims.get(chainId) ?? 1) - 1;
        if (left > 0) this.#claims.set(chainId, left);
        else this.#claims.delete(chainId);
      },
    };
  }

  /** Keeps every layer until disposed: for a layer whose name is known only when it is made. */
  async claimUnnamed(): Promise<Disposable> {
    while (this.#collecting) await this.#collecting.catch(() => undefined);
    this.#unnamed++;
    let done = false;
    return {
      [Symbol.dispose]: () => {
        if (!done) this.#unnamed--;
        done = true;
      },
    };
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
    const { blobs: neededBlobs, layers: neededLayers } = this.#store.view(neededByImages);
    const blobs = this.#content.collect((digest) => neededBlobs.has(digest));
    if (this.#unnamed > 0) return { blobs, layers: [] };
    const layers = await this.#snapshots.collect((chainId) => neededLayers.has(chainId) || this.#claims.has(chainId));
    return { blobs, layers };
  }

  /** Removed images whose time for a rollback is over. */
  async #forgetRemoved(): Promise<void> {
    const before = this.#forgetBefore();
    const isOver = ({ removedAt }: ImageObject) => removedAt !== undefined && removedAt <= before;
    if (!this.#store.view((tx) => tx.list(imageKind).some(isOver))) return;
    await this.#store.update((tx) => {
      for (const image of tx.list(imageKind)) if (isOver(image)) tx.delete(imageKind, image.id);
      forgetLayers(tx);
    });
  }
}

/** Blobs and layers that image objects name. */
export function neededByImages(tx: ReadTransaction): {
  readonly blobs: ReadonlySet<Digest>;
  readonly layers: ReadonlySet<Digest>;
} {
  const blobs = new Set<Digest>();
  const layers = new Set<Digest>();
  for (const image of tx.list(imageKind)) {
    for (const digest of blobsOf(image)) blobs.add(digest);
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
