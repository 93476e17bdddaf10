import { type Digest, Semaphore, SharedWork } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { Store } from "../../store/mod.ts";
import { inOrder, type Vertex } from "../graph/vertex.ts";
import type { CacheFolders } from "../ops/cache-folders.ts";
import type { OpContext } from "../ops/context.ts";
import type { FileSource } from "../ops/files/source.ts";
import type { Lender } from "../ops/mounts.ts";
import { buildRecordKind } from "./cache.ts";
import type { BuildEvent, OnBuildEvent } from "./events.ts";
import type { Material, RememberedSteps, SolvedStep } from "./remembered.ts";
import { Run } from "./run.ts";
import type { LayeredTree, Tree } from "./tree.ts";

/** Steps of one daemon that run at the same time. */
const MOST_RUNNING = 16;

/** What the vertices of one build take from outside of it. */
export interface Supplies {
  /** The files of a context. Asked once for each name. */
  context(name: string, signal: AbortSignal): Promise<FileSource>;
  readonly lender: Lender;
}

export type StepEvent = Extract<BuildEvent, { kind: "running" | "log" | "progress" }>;
/** A step's events as the work tells them: whose they are is for each build to say. */
export type WorkEvent = StepEvent extends infer E ? (E extends { vertex: Digest } ? Omit<E, "vertex"> : never) : never;

/** What a build came to. */
export interface Solved {
  readonly trees: ReadonlyMap<Digest, Tree>;
  readonly steps: readonly SolvedStep[];
  /** Ids of the cache folders that steps ask for. */
  readonly folders: ReadonlySet<string>;
  /** Repositories and files of the web that it took. */
  readonly materials: readonly Material[];
  /** Whether a layer is on this machine: what another cache knows and nobody looked into is not. */
  isHere(layer: ImageLayer): boolean;
}

export interface Outcome {
  readonly layer: ImageLayer | undefined;
  readonly createdAt: number;
}

/**
 * Makes the results of vertices: inputs before what needs them, independent ones at the same time, each once; what is
 * known by its cache key is not run, what several builds want at once is run once.
 */
export class Solver {
  readonly store: Store;
  readonly ops: OpContext;
  readonly caches: CacheFolders;
  readonly work = new SharedWork<Outcome, WorkEvent>({ replays: true });
  readonly slots = new Semaphore(MOST_RUNNING);

  constructor(store: Store, ops: OpContext, caches: CacheFolders) {
    this.store = store;
    this.ops = ops;
    this.caches = caches;
  }

  /**
   * The trees that `ends` come to, and those of everything they need. Whoever calls holds what is made (`hold` of content
   * store and snapshotter). Throws a `BuildFailed` for the first vertex that failed, after all others have stopped.
   */
  async solve(
    ends: readonly Vertex[],
    supplies: Supplies,
    remembered: readonly RememberedSteps[],
    emit: OnBuildEvent,
    signal: AbortSignal,
  ): Promise<Solved> {
    const stop = new AbortController();
    using run = new Run(this, supplies, remembered, emit, AbortSignal.any([signal, stop.signal]));
    const vertices = inOrder(...ends);
    emit({ kind: "planned", vertices });
    let first: unknown;
    const failed = (error: unknown): never => {
      first ??= error;
      stop.abort(error);
      throw error;
    };
    const all = await Promise.allSettled(
      vertices.map(async (vertex) => [vertex.digest, await run.of(vertex).catch(failed)] as const),
    );
    const trees = new Map(all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
    if (first === undefined) {
      const wholes = ends.map(async ({ digest }) => {
        const tree = trees.get(digest);
        if (tree) trees.set(digest, await run.whole(tree));
      });
      await Promise.allSettled(wholes.map((whole) => whole.catch(failed)));
    }
    await this.#markUsed(run.used);
    if (first !== undefined) {
      signal.throwIfAborted();
      throw first;
    }
    return {
      trees: withTheirLayers(trees, ends),
      steps: run.steps,
      folders: run.folders,
      materials: run.materials,
      isHere: (layer) => this.ops.content.has(layer.blob.digest) && this.ops.snapshots.has(layer.chainId),
    };
  }

  async #markUsed(keys: ReadonlySet<Digest>): Promise<void> {
    if (keys.size === 0) return;
    const usedAt = this.ops.clock.now();
    await this.store.update(
      (tx) => {
        for (const key of keys) {
          const record = tx.get(buildRecordKind, key);
          if (record) tx.put(buildRecordKind, { ...record, usedAt, uses: record.uses + 1 });
        }
      },
      { durable: false },
    );
  }
}

/** Of trees that an end stands on, the layers as that has them: some were only names when they were found. */
function withTheirLayers(trees: Map<Digest, Tree>, ends: readonly Vertex[]): ReadonlyMap<Digest, Tree> {
  const found = new Map<Digest, ImageLayer>();
  for (const { digest } of ends) {
    const tree = trees.get(digest);
    for (const layer of tree?.kind === "layers" ? tree.layers : []) found.set(layer.chainId, layer);
  }
  const settled = (tree: LayeredTree): LayeredTree => ({
    ...tree,
    layers: tree.layers.map((layer) => found.get(layer.chainId) ?? layer),
  });
  return new Map([...trees].map(([digest, tree]) => [digest, tree.kind === "layers" ? settled(tree) : tree]));
}
