import type { ReadTransaction } from "../store/mod.ts";
import type { Image } from "./images.ts";
import type { ImageObject, TagObject } from "./objects.ts";
import { familiar, tagsOf } from "./resolve.ts";

/** The image as others see it, with all its names or those given. */
export function viewImage(
  tx: ReadTransaction,
  image: ImageObject,
  names: readonly TagObject[] = tagsOf(tx, image.id),
): Image {
  return {
    id: image.id,
    config: image.config,
    chain: image.chain,
    tags: names.filter((name) => name.tag !== undefined).map(familiar),
    digests: names.filter((name) => name.digest !== undefined).map(familiar),
    manifest: image.manifests[0]?.descriptor.digest,
    ...(image.parent === undefined ? {} : { parent: image.parent }),
    size: sizeOf(image),
    created: createdAt(image) ?? 0,
    lastTagged: image.lastTagged,
  };
}

export function sizeOf(image: ImageObject): number {
  return image.layerSizes.reduce((sum, size) => sum + size, 0);
}

/** Milliseconds since the epoch, of the configuration; undefined when it does not say. */
export function createdAt(image: ImageObject): number | undefined {
  const at = image.config.created === undefined ? Number.NaN : Date.parse(image.config.created);
  return Number.isNaN(at) ? undefined : at;
}
