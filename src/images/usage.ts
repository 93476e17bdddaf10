import { type Digest, shortId } from "../base/mod.ts";
import { familiarReference, parseReference } from "../spec/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import type { Image } from "./images.ts";
import { blobsOf, type Needs } from "./keeper.ts";
import { type ImageObject, imageKind, tagKind } from "./objects.ts";
import { childrenOf, listImages, tagsOf } from "./resolve.ts";
import { sizeOf, viewImage } from "./view.ts";

/** Sizes in bytes of files, as Docker counts them. */
export interface ImageUsage {
  readonly image: Image;
  /** Of layers that another image has too. */
  readonly sharedSize: number;
  readonly uniqueSize: number;
  /** Number of containers, running or not. */
  readonly containers: number;
}

export interface DiskUsage {
  /** Bytes of all layers that are here, each counted once. */
  readonly layersSize: number;
  /** Bytes that removing all images without containers would free. */
  readonly reclaimable: number;
  /** Without those that only stand under another one. */
  readonly images: readonly ImageUsage[];
}

/** One thing on disk and who needs it; no needs: the next collection takes it. */
export interface Account {
  readonly kind: "blob" | "layer" | "writable";
  /** A digest, a chain id or a container's id. */
  readonly id: string;
  /** Bytes on disk. */
  readonly size: number;
  readonly needs: readonly string[];
}

/** What images use: `docker system df`. */
export function diskUsage(context: Context): DiskUsage {
  return context.store.view((tx) => {
    const images = listImages(tx);
    const layers = new Map<Digest, { readonly size: number; users: ImageObject[] }>();
    for (const image of images) {
      for (const [at, chainId] of image.chain.entries()) {
        const layer = layers.get(chainId) ?? { size: image.layerSizes[at] ?? 0, users: [] };
        layer.users.push(image);
        layers.set(chainId, layer);
      }
    }
    const isShown = ({ id }: ImageObject) => tagsOf(tx, id).length > 0 || childrenOf(tx, id).length === 0;
    const containers = (image: ImageObject) => context.users.usersOf(image.id).length;
    const all = [...layers.values()];
    const { snapshots } = context;
    return {
      layersSize: sum(snapshots.layers().map((chainId) => snapshots.layerUsage(chainId).content)),
      reclaimable: sum(
        all.filter(({ users }) => users.every((user) => containers(user) === 0)).map(({ size }) => size),
      ),
      images: images.filter(isShown).map((image) => {
        const shared = image.chain
          .flatMap((chainId) => layers.get(chainId) ?? [])
          .filter(({ users }) => users.length > 1);
        const sharedSize = sum(shared.map(({ size }) => size));
        return {
          image: viewImage(tx, image),
          sharedSize,
          uniqueSize: sizeOf(image) - sharedSize,
          containers: containers(image),
        };
      }),
    };
  });
}

/** Accounts for every blob, layer and writable layer: `havre system df --why`. */
export async function accounts(context: Context): Promise<readonly Account[]> {
  const { content, snapshots } = context;
  const { blobs, layers } = context.store.view((tx) => reasons(tx, context.otherNeeds(tx)));
  for (const key of snapshots.keys()) {
    for (const chainId of snapshots.standsOn(key)) {
      layers.set(chainId, [...(layers.get(chainId) ?? []), `container ${shortId(key)}`]);
    }
  }
  const found: Account[] = [];
  for (const { digest, size } of content.list())
    found.push({ kind: "blob", id: digest, size, needs: blobs.get(digest) ?? [] });
  for (const chainId of snapshots.layers()) {
    found.push({
      kind: "layer",
      id: chainId,
      size: snapshots.layerUsage(chainId).size,
      needs: layers.get(chainId) ?? [],
    });
  }
  for (const key of snapshots.keys()) {
    found.push({
      kind: "writable",
      id: key,
      size: (await snapshots.usage(key)).size,
      needs: [`container ${shortId(key)}`],
    });
  }
  return found;
}

function reasons(tx: ReadTransaction, others: Needs): { blobs: Map<Digest, string[]>; layers: Map<Digest, string[]> } {
  const blobs = new Map<Digest, string[]>();
  const layers = new Map<Digest, string[]>();
  for (const image of tx.list(imageKind)) {
    const why = reason(tx, image);
    for (const digest of blobsOf(image)) blobs.set(digest, [...(blobs.get(digest) ?? []), why]);
    for (const chainId of image.chain) layers.set(chainId, [...(layers.get(chainId) ?? []), why]);
  }
  for (const digest of others.blobs) blobs.set(digest, [...(blobs.get(digest) ?? []), "the build cache"]);
  for (const chainId of others.layers) layers.set(chainId, [...(layers.get(chainId) ?? []), "the build cache"]);
  return { blobs, layers };
}

function reason(tx: ReadTransaction, image: ImageObject): string {
  if (image.removedAt !== undefined) {
    const names = tx.list(tagKind).filter((tag) => tag.history.some(({ to }) => to?.image === image.id));
    return `history of ${names.map(({ id }) => familiarReference(parseReference(id))).join(", ")} (image ${image.id}, removed)`;
  }
  const names = tagsOf(tx, image.id).map(({ id }) => familiarReference(parseReference(id)));
  return names.length > 0 ? `image ${names.join(", ")}` : `image ${image.id}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
