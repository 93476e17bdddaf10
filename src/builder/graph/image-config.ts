import type { Digest } from "../../base/mod.ts";
import { rfc3339Nano } from "../../base/mod.ts";
import type { HistoryEntry, ImageConfig, Platform } from "../../spec/mod.ts";
import type { LayeredTree, Tree } from "../solver/tree.ts";
import type { ImageState } from "./graph.ts";

export interface ImageInput {
  readonly state: ImageState;
  /** What the image is made of. */
  readonly tree: LayeredTree;
  readonly trees: ReadonlyMap<Digest, Tree>;
  readonly platform: Platform;
  /** Of the base image; for what was not made here. */
  readonly base: ImageConfig | undefined;
  /** When something was made without a layer, milliseconds since the epoch. */
  readonly now: number;
  /** What every time is to be instead (`SOURCE_DATE_EPOCH`), milliseconds. */
  readonly epoch?: number;
}

/** The configuration of an image (OCI image specification, config.md) in the order of fields in which Docker writes it. */
export function imageConfig(input: ImageInput): ImageConfig {
  const { state, tree, platform, base } = input;
  const { history, created } = historyOf(input);
  const { architecture, os, variant, "os.version": osVersion } = base?.architecture ? base : platform;
  return {
    architecture,
    ...(state.author === "" ? {} : { author: state.author }),
    config: state.config,
    created: created ?? rfc3339Nano(input.epoch ?? input.now),
    history,
    os,
    ...(osVersion === undefined ? {} : { "os.version": osVersion }),
    rootfs: { type: "layers", diff_ids: tree.layers.map((layer) => layer.diffId) },
    ...(variant === undefined ? {} : { variant }),
  };
}

/** A step without a layer was made when the one before it was: so an image whose steps are all known is the same image. */
function historyOf({ state, trees, epoch, base }: ImageInput): {
  readonly history: readonly HistoryEntry[];
  readonly created: string | undefined;
} {
  let below = (base?.rootfs.diff_ids ?? []).length;
  let created = base?.created;
  const history = state.history.map((item): HistoryEntry => {
    if (item.kind === "given") return item.entry;
    const tree = item.vertex && trees.get(item.vertex.digest);
    const layers = tree?.kind === "layers" ? tree.layers.length : below;
    const grew = layers > below;
    below = Math.max(below, layers);
    const at = tree?.kind === "layers" ? tree.createdAt : undefined;
    if (epoch !== undefined) created = rfc3339Nano(epoch);
    else if (at !== undefined) created = rfc3339Nano(at);
    return {
      ...(created === undefined ? {} : { created }),
      created_by: item.createdBy,
      ...(item.comment === undefined ? {} : { comment: item.comment }),
      ...(grew ? {} : { empty_layer: true }),
    };
  });
  return { history, created };
}
