import type { Digest } from "../base/mod.ts";
import type { Descriptor, ImageConfig } from "../spec/mod.ts";
import { defineKind, type StoredObject } from "../store/mod.ts";
import type { Attestation } from "./attestations.ts";

/** How something came to be here, or what was done to a tag. */
export type Origin = "import" | "load" | "commit" | "pull" | "push" | "build" | "tag" | "untag" | "rollback";

/** A manifest as it was received (or made here): what `save` and `push` hand on unchanged. */
export interface StoredManifest {
  readonly descriptor: Descriptor;
  readonly layers: readonly Descriptor[];
  /** The index it was chosen from, when that is kept too. */
  readonly index?: Descriptor;
}

/** An image on this machine. `id` is the digest of its configuration, whose bytes are a blob. */
export interface ImageObject extends StoredObject {
  readonly id: Digest;
  readonly config: ImageConfig;
  /** Bytes of the configuration blob. */
  readonly configSize: number;
  readonly chain: readonly Digest[];
  /** Bytes of each layer's files, as `chain`. */
  readonly layerSizes: readonly number[];
  /** Latest received first; never empty. The same configuration may have come with differently compressed layers. */
  readonly manifests: readonly StoredManifest[];
  /** The image it was made from here. */
  readonly parent?: Digest;
  /** What is said about it: each goes along when it is pushed. */
  readonly attestations?: readonly Attestation[];
  readonly origin: Origin;
  /** Milliseconds since the epoch. */
  readonly addedAt: number;
  readonly lastTagged?: number;
  /** When it was removed, while the history of its tags still keeps its bytes. */
  readonly removedAt?: number;
  /** Milliseconds that it can come back after that, where not as long as all images. */
  readonly keep?: number;
}

/** What a tag points to. */
export interface Pointer {
  readonly image: Digest;
  readonly manifest: Digest;
  /** The same for other platforms: each has a `name@digest` of its own, too. */
  readonly others?: readonly { readonly image: Digest; readonly manifest: Digest }[];
}

/** One change of a tag; `to` undefined: it was taken away. */
export interface TagChange {
  readonly at: number;
  readonly action: Origin;
  readonly to?: Pointer;
  /** Of a rollback: the position in the history it went back to. */
  readonly position?: number;
}

/**
 * A name and all it ever pointed to. `id` is the canonical reference with tag or digest. The object outlives the tag:
 * `current` undefined means the name is free, its history is still known.
 */
export interface TagObject extends StoredObject {
  readonly id: string;
  readonly repository: string;
  /** undefined: a `name@digest` reference. */
  readonly tag?: string;
  readonly digest?: Digest;
  readonly current?: Pointer;
  readonly history: readonly TagChange[];
}

/** How a layer came to this machine first: what `log` tells beyond the configuration's own history. */
export interface LayerObject extends StoredObject {
  readonly id: Digest;
  readonly diffId: Digest;
  readonly size: number;
  readonly origin: Origin;
  readonly at: number;
  /** Of a commit: the container. */
  readonly container?: string;
}

export const imageKind = defineKind<ImageObject>("image", {
  parent: { unique: false, values: (image) => (image.parent === undefined ? [] : [image.parent]) },
});

export const tagKind = defineKind<TagObject>("image-tag", {
  image: { unique: false, values: (tag) => (tag.current === undefined ? [] : [tag.current.image]) },
  repository: { unique: false, values: (tag) => [tag.repository] },
});

export const layerKind = defineKind<LayerObject>("image-layer");

/** One that was removed, come back. */
export function asPresent({ removedAt: _removed, keep: _keep, ...present }: ImageObject): ImageObject {
  return present;
}
