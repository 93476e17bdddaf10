import { type Digest, HavreError, Semaphore, toHavreError } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import type { Store } from "../../store/mod.ts";
import type { ExecOp } from "../graph/ops.ts";
import { inOrder, type Vertex } from "../graph/vertex.ts";
import type { CacheFolders } from "../ops/cache-folders.ts";
import { keyOf } from "../ops/content-key.ts";
import type { OpContext } from "../ops/context.ts";
import { makeFolder, makeFolderKey, prepareCopy } from "../ops/copy.ts";
import { runStep } from "../ops/exec.ts";
import { download } from "../ops/files/download.ts";
import { FolderSource } from "../ops/files/folder-source.ts";
import { checkOut } from "../ops/files/git.ts";
import { InlineSource } from "../ops/files/inline-source.ts";
import type { FileSource } from "../ops/files/source.ts";
import { mergeLayers } from "../ops/merge.ts";
import type { Lender } from "../ops/mounts.ts";
import { type BuildRecord, buildRecordKind } from "./cache.ts";
import type { BuildEvent, OnBuildEvent } from "./events.ts";
import { BuildFailed, OutputTail } from "./failure.ts";
import { SharedWork } from "./shared-work.ts";
import type { LayeredTree, Tree } from "./tree.ts";

/** Steps of one daemon that run at the same time. */
const MOST_RUNNING = 16;

/** What the vertices of one build take from outside of it. */
export interface Supplies {
  /** The files of a context. Asked once for each name. */
  context(name: string, signal: AbortSignal): Promise<FileSource>;
  readonly lender: Lender;
}

type StepEvent = Extract<BuildEvent, { kind: "running" | "log" | "progress" }>;
/** A step's events as the work tells them: whose they are is for each build to say. */
type WorkEvent = StepEvent extends infer E ? (E extends { vertex: Digest } ? Omit<E, "vertex"> : never) : never;

interface Outcome {
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
  readonly work = new SharedWork<Outcome, WorkEvent>();
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
    emit: OnBuildEvent,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<Digest, Tree>> {
    const stop = new AbortController();
    using run = new Run(this, supplies, emit, AbortSignal.any([signal, stop.signal]));
    const vertices = inOrder(...ends);
    emit({ kind: "planned", vertices });
    let first: unknown;
    const all = await Promise.allSettled(
      vertices.map(async (vertex) => {
        try {
          return [vertex.digest, await run.of(vertex)] as const;
        } catch (error) {
          first ??= error;
          stop.abort(error);
          throw error;
        }
      }),
    );
    await this.#markUsed(run.used);
    if (first !== undefined) {
      signal.throwIfAborted();
      throw first;
    }
    return new Map(all.flatMap((one) => (one.status === "fulfilled" ? [one.value] : [])));
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

/** One build's way through its vertices. */
class Run implements Disposable {
  readonly #solver: Solver;
  readonly #supplies: Supplies;
  readonly #emit: OnBuildEvent;
  readonly #signal: AbortSignal;
  readonly #results = new Map<Digest, Promise<Tree>>();
  readonly used = new Set<Digest>();
  /** Downloads and checkouts; as long as the build. */
  readonly #held = new DisposableStack();

  constructor(solver: Solver, supplies: Supplies, emit: OnBuildEvent, signal: AbortSignal) {
    this.#solver = solver;
    this.#supplies = supplies;
    this.#emit = emit;
    this.#signal = signal;
  }

  [Symbol.dispose](): void {
    this.#held.dispose();
  }

  of(vertex: Vertex): Promise<Tree> {
    const known = this.#results.get(vertex.digest);
    if (known) return known;
    const result = this.#make(vertex);
    this.#results.set(vertex.digest, result);
    return result;
  }

  async #make(vertex: Vertex): Promise<Tree> {
    const inputs = await Promise.all(vertex.inputs.map((input) => this.of(input)));
    this.#signal.throwIfAborted();
    const { clock } = this.#solver.ops;
    this.#emit({ kind: "started", vertex: vertex.digest, at: clock.now() });
    const tail = new OutputTail();
    try {
      const { tree, cached } = await this.#dispatch(vertex, inputs, tail);
      this.#emit({ kind: "finished", vertex: vertex.digest, at: clock.now(), cached, tree });
      return tree;
    } catch (failure) {
      const error = this.#signal.aborted
        ? cancelled(failure)
        : new BuildFailed(vertex, failure, tail.text(), inputs[0]);
      this.#emit({ kind: "finished", vertex: vertex.digest, at: clock.now(), cached: false, error });
      throw error;
    }
  }

  async #dispatch(vertex: Vertex, inputs: readonly Tree[], tail: OutputTail): Promise<Made> {
    const { op } = vertex;
    const { ops } = this.#solver;
    switch (op.kind) {
      case "scratch":
        return made({ kind: "layers", layers: [], createdAt: undefined });
      case "image": {
        const layers = await ops.images.layersOf(op.id, this.#signal);
        return { tree: { kind: "layers", layers, createdAt: undefined }, cached: true };
      }
      case "context":
        return made({ kind: "files", files: await this.#supplies.context(op.name, this.#signal) });
      case "inline":
        return made({ kind: "files", files: new InlineSource(op, BigInt(Math.floor(ops.clock.now())) * 1_000_000n) });
      case "exec":
        return this.#exec(vertex, op, inputs, tail);
      case "make-folder": {
        const parent = layered(inputs[0]);
        const top = parent.layers.at(-1);
        return this.#step(vertex, parent, makeFolderKey(op, top), tail, (_tell, signal) =>
          makeFolder(ops, op, top, signal),
        );
      }
      case "copy": {
        const parent = layered(inputs[0]);
        const top = parent.layers.at(-1);
        return this.#withSources(inputs, 0, [], async (sources) => {
          using held = new DisposableStack();
          const copy = await prepareCopy(ops, op, sources, top, held, this.#signal);
          return await this.#step(vertex, parent, copy.key, tail, (_tell, signal) => copy.run(top, signal));
        });
      }
      case "merge": {
        const [base, upper] = [layered(inputs[0]), layered(inputs[1])];
        const { layers, known } = await mergeLayers(ops, base.layers, upper.layers, this.#signal);
        return { tree: { kind: "layers", layers, createdAt: upper.createdAt }, cached: known };
      }
      case "git": {
        const checkout = this.#held.use(await checkOut(ops, op, this.#signal));
        return made({ kind: "files", files: checkout.files });
      }
      case "http": {
        const tell = (current: number, total: number) => this.#progress(vertex, op.url, current, total);
        return made({ kind: "files", files: this.#held.use(await download(ops, op, this.#signal, tell)) });
      }
    }
  }

  async #exec(vertex: Vertex, op: ExecOp, inputs: readonly Tree[], tail: OutputTail): Promise<Made> {
    const { ops, caches, slots } = this.#solver;
    const parent = layered(inputs[0]);
    const top = parent.layers.at(-1);
    const trees = new Map(inputs.map((input, number) => [number, layered(input).layers.at(-1)]));
    return this.#step(vertex, parent, execKey(op, trees), tail, (tell, signal) =>
      slots.run(() => {
        const events = {
          running: (container: string) => tell({ kind: "running", container }),
          output: ({ stream, data }: { readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }) =>
            tell({ kind: "log", stream, data, at: ops.clock.now() }),
        };
        return runStep(ops, op, top, { trees, caches, lender: this.#supplies.lender }, events, signal);
      }),
    );
  }

  /** A step with a cache key: from the cache, or run once for all who want it now. */
  async #step(
    vertex: Vertex,
    parent: LayeredTree,
    key: Digest,
    tail: OutputTail,
    run: (tell: (event: WorkEvent) => void, signal: AbortSignal) => Promise<ImageLayer | undefined>,
  ): Promise<Made> {
    const found = vertex.ignoreCache ? undefined : this.#find(key);
    if (found) {
      this.used.add(key);
      return { tree: onTop(parent, found), cached: true };
    }
    const { ops, work } = this.#solver;
    const outcome = await work.run(
      vertex.ignoreCache ? `${key} ${ops.newId()}` : key,
      async (tell, signal) => {
        const layer = await run(tell, signal);
        const createdAt = ops.clock.now();
        await this.#record(vertex, parent, key, { layer, createdAt });
        return { layer, createdAt };
      },
      (event) => {
        if (event.kind === "log") tail.add(event.data);
        this.#emit({ ...event, vertex: vertex.digest } as StepEvent);
      },
      this.#signal,
    );
    return made(onTop(parent, outcome));
  }

  #progress(vertex: Vertex, id: string, current: number, total: number): void {
    const at = this.#solver.ops.clock.now();
    const done = total > 0 && current >= total;
    this.#emit({ kind: "progress", vertex: vertex.digest, id, current, total, done, at });
  }

  #find(key: Digest): Outcome | undefined {
    const { store, ops } = this.#solver;
    const record = store.view((tx) => tx.get(buildRecordKind, key));
    if (!record) return undefined;
    const { layer, createdAt } = record;
    // After a power cut a layer may be gone that the record still names.
    if (layer && !(ops.snapshots.has(layer.chainId) && ops.content.has(layer.blob.digest))) return undefined;
    return { layer, createdAt };
  }

  async #record(vertex: Vertex, parent: LayeredTree, key: Digest, { layer, createdAt }: Outcome): Promise<void> {
    const below = parent.layers.at(-1)?.chainId;
    const record: BuildRecord = {
      id: key,
      ...(layer ? { layer: { diffId: layer.diffId, chainId: layer.chainId, blob: layer.blob, size: layer.size } } : {}),
      ...(below === undefined ? {} : { parent: below }),
      description: vertex.name,
      createdAt,
      usedAt: createdAt,
      uses: 1,
    };
    await this.#solver.store.update((tx) => tx.put(buildRecordKind, record), { durable: false });
  }

  /** Files of all inputs but the first, those of layers in a view that lasts as long as `use`. */
  #withSources<T>(
    inputs: readonly Tree[],
    at: number,
    sources: readonly FileSource[],
    use: (sources: readonly FileSource[]) => Promise<T>,
  ): Promise<T> {
    const input = inputs[at];
    if (input === undefined) return use(sources);
    // What is copied to is never a source.
    if (at === 0) return this.#withSources(inputs, 1, [NOTHING], use);
    if (input.kind === "files") return this.#withSources(inputs, at + 1, [...sources, input.files], use);
    return this.#solver.ops.snapshots.withView(input.layers.at(-1)?.chainId, async (root) => {
      using files = new FolderSource(root);
      return await this.#withSources(inputs, at + 1, [...sources, files], use);
    });
  }
}

interface Made {
  readonly tree: Tree;
  readonly cached: boolean;
}

const NOTHING = new InlineSource({ kind: "inline", files: [] }, 0n);

function made(tree: Tree): Made {
  return { tree, cached: false };
}

function layered(tree: Tree | undefined): LayeredTree {
  if (tree?.kind === "layers") return tree;
  throw new HavreError("internal", "A step's tree is not made of layers");
}

function onTop(parent: LayeredTree, { layer, createdAt }: Outcome): LayeredTree {
  return { kind: "layers", layers: layer ? [...parent.layers, layer] : parent.layers, createdAt };
}

function execKey(op: ExecOp, trees: ReadonlyMap<number, ImageLayer | undefined>): Digest {
  const { passingEnv: _passing, limits, ...what } = op;
  const { shmSize, ulimits } = limits;
  return keyOf(
    "exec-1",
    what,
    shmSize,
    ulimits,
    [...trees.values()].map((tree) => tree?.chainId),
  );
}

function cancelled(failure: unknown): HavreError {
  const error = toHavreError(failure);
  return error.kind === "cancelled" ? error : new HavreError("cancelled", "The build was cancelled", { cause: error });
}
