import { type Digest, HavreError, isHavreError } from "../base/mod.ts";
import type { ReadTransaction } from "../store/mod.ts";
import type { Context } from "./context.ts";
import type { RemoveResult } from "./images.ts";
import { hasLabel } from "./list.ts";
import { type ImageObject, layerKind } from "./objects.ts";
import { removeImage } from "./remove.ts";
import { childrenOf, familiar, listImages, tagsOf } from "./resolve.ts";
import { createdAt } from "./view.ts";

export interface PruneOptions {
  /** Only images without a name; otherwise every image without a container. */
  readonly dangling: boolean;
  /** Milliseconds since the epoch: only those created before. */
  readonly until?: number;
  /** `key` or `key=value`, all must fit; a leading `!` negates. */
  readonly labels?: readonly string[];
}

/** `docker image prune`. What is in use stays, without complaint. */
export async function pruneImages(
  context: Context,
  options: PruneOptions,
): Promise<{ readonly removed: readonly RemoveResult[]; readonly reclaimed: number }> {
  const sizes = context.store.view((tx) => new Map(tx.list(layerKind).map((layer) => [layer.id, layer.size])));
  const candidates = context.store.view((tx) => listImages(tx).filter((image) => isCandidate(tx, image, options)));
  const removed: RemoveResult[] = [];
  for (const image of candidates) {
    for (const name of context.store.view((tx) => namesToRemove(tx, image.id, options.dangling))) {
      removed.push(...(await removeQuietly(context, name)));
    }
  }
  const reclaimed = removed.reduce((sum, { deleted }) => sum + ((deleted && sizes.get(deleted as Digest)) || 0), 0);
  context.emit({ action: "prune", id: "", name: "", reclaimed });
  return { removed, reclaimed };
}

function isCandidate(tx: ReadTransaction, image: ImageObject, { until, labels, dangling }: PruneOptions): boolean {
  const hasChildren = childrenOf(tx, image.id).length > 0;
  if (hasChildren && (dangling || tagsOf(tx, image.id).length === 0)) return false;
  const created = createdAt(image);
  if (until !== undefined && (created === undefined || created > until)) return false;
  return (labels ?? []).every((label) =>
    label.startsWith("!") ? !hasLabel(image, label.slice(1)) : hasLabel(image, label),
  );
}

/** The words to remove it by: every name, or the id when it has none. Dangling is also what has only `name@digest`. */
function namesToRemove(tx: ReadTransaction, id: Digest, dangling: boolean): readonly string[] {
  const names = tagsOf(tx, id);
  if (names.length === 0) return [id];
  if (dangling && names.some((name) => name.tag !== undefined)) return [];
  return names.map(familiar);
}

async function removeQuietly(context: Context, name: string): Promise<readonly RemoveResult[]> {
  try {
    return await removeImage(context, name, { force: false, prune: true });
  } catch (error) {
    // In use, or gone with another name meanwhile.
    if (isHavreError(error, "conflict") || isHavreError(error, "not-found")) return [];
    throw error;
  }
}

/** One pruning at a time, as Docker has it. */
export class PruneGate {
  #running = false;

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running) throw new HavreError("conflict", "a prune operation is already running");
    this.#running = true;
    try {
      return await work();
    } finally {
      this.#running = false;
    }
  }
}
