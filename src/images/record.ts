import { isDeepStrictEqual } from "node:util";
import { type Digest, HavreError } from "../base/mod.ts";
import type { Reference } from "../spec/mod.ts";
import { parseReference } from "../spec/mod.ts";
import type { WriteTransaction } from "../store/mod.ts";
import {
  asPresent,
  type ImageObject,
  imageKind,
  layerKind,
  type Pointer,
  type StoredManifest,
  type TagChange,
  type TagObject,
  tagKind,
} from "./objects.ts";
import { repositoryKey, tagKey } from "./resolve.ts";

/** An image whose blobs and layers are all here, ready to be known. */
export interface NewImage {
  readonly image: Omit<ImageObject, "manifests" | "addedAt" | "layerSizes">;
  readonly manifest: StoredManifest;
  /** As the image's chain. */
  readonly layers: readonly NewLayer[];
}

export interface NewLayer {
  readonly diffId: Digest;
  readonly size: number;
  readonly container?: string;
}

/** Makes an image known, or adds a manifest to one that is. A removed one comes back. */
export function recordImage(tx: WriteTransaction, { image, manifest, layers }: NewImage, at: number): ImageObject {
  const known = tx.get(imageKind, image.id);
  for (const [position, chainId] of image.chain.entries()) {
    const layer = layers[position];
    if (!layer || tx.get(layerKind, chainId)) continue;
    tx.put(layerKind, { id: chainId, at, origin: image.origin, ...layer });
  }
  const others = known?.manifests.filter((other) => other.descriptor.digest !== manifest.descriptor.digest) ?? [];
  const before: Partial<ImageObject> = known ? asPresent(known) : {};
  const after: ImageObject = {
    ...image,
    layerSizes: layers.map((layer) => layer.size),
    addedAt: at,
    ...before,
    manifests: [manifest, ...others],
  };
  tx.put(imageKind, after);
  return after;
}

/** Points a name to an image; what it pointed to stays in its history. Returns what it pointed to. */
export function setTag(
  tx: WriteTransaction,
  reference: Reference,
  to: Pointer,
  change: Omit<TagChange, "to">,
): Pointer | undefined {
  const id = tagKey(reference);
  const { tag, digest } = parseReference(id);
  if (repositoryKey(reference) === "docker.io/library/sha256") {
    throw new HavreError("invalid-argument", "refusing to create an ambiguous tag using digest algorithm as name");
  }
  const known = tx.get(tagKind, id);
  const before = known?.current;
  if (before && isDeepStrictEqual(before, to)) return before;
  tx.put(tagKind, {
    id,
    repository: repositoryKey(reference),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
    current: to,
    history: [...(known?.history ?? []), { ...change, to }],
  });
  return before;
}

/** Takes a name away from its image; the history goes on. */
export function clearTag(tx: WriteTransaction, tag: TagObject, at: number): void {
  const { current: _current, ...rest } = tag;
  tx.put(tagKind, { ...rest, history: [...tag.history, { at, action: "untag" }] });
}

/** The pointer that a tag of `image` gets: to the manifest it came with last. */
export function pointerTo(image: ImageObject): Pointer {
  const manifest = image.manifests[0];
  if (!manifest) throw new HavreError("internal", `Image ${image.id} has no manifest`);
  return { image: image.id, manifest: manifest.descriptor.digest };
}

export function markTagged(tx: WriteTransaction, id: Digest, at: number): void {
  const image = tx.get(imageKind, id);
  if (image) tx.put(imageKind, { ...image, lastTagged: at });
}
