import { chainIds, type Digest } from "../base/mod.ts";
import type { Descriptor, HistoryEntry } from "../spec/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import { sizedSteps } from "./history.ts";
import { type LayerObject, layerKind } from "./objects.ts";
import { resolveImage } from "./resolve.ts";

/** A step of an image's making with all that is known of it here. */
export interface LogEntry {
  readonly entry: HistoryEntry;
  /** undefined: the step changed the configuration only. */
  readonly layer?: {
    readonly diffId: Digest;
    readonly chainId: Digest;
    /** The blob as it is stored and handed on. */
    readonly blob: Descriptor;
    /** Bytes of files. */
    readonly size: number;
    /** How it first came to this machine, when, and of a commit from which container. */
    readonly arrived: Pick<LayerObject, "origin" | "at" | "container"> | undefined;
  };
}

/** How an image was put together, latest step first. Layers that its history does not tell of come last, bare. */
export function imageLog(tx: ReadTransaction, nameOrId: string): readonly LogEntry[] {
  const image = resolveImage(tx, nameOrId);
  const diffIds = image.config.rootfs.diff_ids;
  const chain = chainIds(diffIds);
  const describe = (at: number): LogEntry["layer"] => {
    const [diffId, chainId, blob] = [diffIds[at], chain[at], image.manifests[0]?.layers[at]];
    if (diffId === undefined || chainId === undefined || blob === undefined) return undefined;
    const known = tx.get(layerKind, chainId);
    const arrived = known && {
      origin: known.origin,
      at: known.at,
      ...(known.container === undefined ? {} : { container: known.container }),
    };
    return { diffId, chainId, blob, size: image.layerSizes[at] ?? 0, arrived };
  };
  const steps = sizedSteps(image);
  const told = steps.filter((step) => step.layer !== undefined).length;
  const untold = diffIds.slice(told).map((_, at) => ({ entry: {}, layer: told + at }));
  return [...steps, ...untold].reverse().map(({ entry, layer }) => {
    const described = layer === undefined ? undefined : describe(layer);
    return { entry, ...(described === undefined ? {} : { layer: described }) };
  });
}
