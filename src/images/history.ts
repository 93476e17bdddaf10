import { isDeepStrictEqual } from "node:util";
import { type Digest, HavreError } from "../base/mod.ts";
import type { HistoryEntry } from "../spec/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import { type ImageObject, imageKind } from "./objects.ts";
import { familiar, resolveImage, tagsOf } from "./resolve.ts";

/** One line of `docker history`. */
export interface HistoryLine {
  readonly entry: HistoryEntry;
  /** Of an image that is here; undefined shows as `<missing>`. */
  readonly id: Digest | undefined;
  readonly tags: readonly string[];
  /** Bytes of the layer; 0 when the step made none. */
  readonly size: number;
}

/** How an image came about, latest step first, with the images here that the steps ended in. */
export function imageHistory(tx: ReadTransaction, nameOrId: string): readonly HistoryLine[] {
  const image = resolveImage(tx, nameOrId);
  const steps = sizedSteps(image).reverse();
  const lineage = ancestors(tx, image);
  return steps.map(({ entry, size }, at) => {
    const id = lineage[at]?.id;
    const names = id === undefined ? [] : tagsOf(tx, id).filter((name) => name.tag !== undefined);
    return { entry, id, tags: names.map(familiar), size };
  });
}

/** Each step of the configuration's history with its layer's number and size. `invalid-argument` when they do not fit. */
export function sizedSteps(image: ImageObject): { entry: HistoryEntry; layer: number | undefined; size: number }[] {
  let layer = 0;
  return (image.config.history ?? []).map((entry) => {
    if (entry.empty_layer) return { entry, layer: undefined, size: 0 };
    const size = image.layerSizes[layer];
    if (size === undefined) throw new HavreError("invalid-argument", "too many non-empty layers in History section");
    return { entry, layer: layer++, size };
  });
}

/** The image and those that it came from step by step; one that several steps lie between ends it: their lines have no image. */
function ancestors(tx: ReadTransaction, image: ImageObject): readonly ImageObject[] {
  const lineage = [image];
  for (let at = image; at.parent !== undefined; ) {
    const parent = tx.get(imageKind, at.parent);
    if (!parent || lineage.includes(parent) || !isNextStep(at, parent)) break;
    lineage.push(parent);
    at = parent;
  }
  return lineage;
}

/** True when the history of `image` is that of `parent` and one step more: what a link in an archive, and a line of a history, must hold. */
export function isNextStep(image: ImageObject, parent: ImageObject): boolean {
  const [steps, before] = [image.config.history ?? [], parent.config.history ?? []];
  if (image.id === parent.id) return false;
  return steps.length === 0 ? before.length === 0 : isDeepStrictEqual(steps.slice(0, -1), before);
}
