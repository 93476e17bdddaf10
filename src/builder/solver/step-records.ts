import type { Digest } from "../../base/mod.ts";
import type { Store } from "../../store/mod.ts";
import type { OpContext } from "../ops/context.ts";
import { type BuildRecord, buildRecordKind } from "./cache.ts";
import type { Outcome } from "./solver.ts";
import type { LayeredTree } from "./tree.ts";

/** A step whose result is here, and all that it is known by. */
export interface Known {
  readonly keys: readonly Digest[];
  readonly outcome: Outcome;
}

/** The steps that were run on this machine, by their keys. */
export class StepRecords {
  readonly #store: Store;
  readonly #ops: Pick<OpContext, "snapshots" | "content">;

  constructor(store: Store, ops: Pick<OpContext, "snapshots" | "content">) {
    this.#store = store;
    this.#ops = ops;
  }

  find(key: Digest): Known | undefined {
    const record = this.#store.view((tx) => tx.get(buildRecordKind, key));
    if (!record) return undefined;
    const { layer, createdAt } = record;
    // After a power cut a layer may be gone that the record still names.
    if (layer && !(this.#ops.snapshots.has(layer.chainId) && this.#ops.content.has(layer.blob.digest)))
      return undefined;
    return { keys: record.sameAs === undefined ? [key] : [record.sameAs, key], outcome: { layer, createdAt } };
  }

  /** Under its first key, and under the others as pointers to the same. */
  async write(
    description: string,
    parent: LayeredTree,
    keys: readonly Digest[],
    { layer, createdAt }: Outcome,
  ): Promise<void> {
    const below = parent.layers.at(-1)?.chainId;
    const [first] = keys;
    await this.#store.update(
      (tx) => {
        for (const key of keys) {
          const known = tx.get(buildRecordKind, key);
          if (known && known.layer?.chainId === layer?.chainId) continue;
          const record: BuildRecord = {
            id: key,
            ...(layer
              ? { layer: { diffId: layer.diffId, chainId: layer.chainId, blob: layer.blob, size: layer.size } }
              : {}),
            ...(below === undefined ? {} : { parent: below }),
            ...(key === first || first === undefined ? {} : { sameAs: first }),
            description,
            createdAt,
            usedAt: createdAt,
            uses: 1,
          };
          tx.put(buildRecordKind, record);
        }
      },
      { durable: false },
    );
  }
}
