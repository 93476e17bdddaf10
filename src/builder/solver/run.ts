import { chainIds, type Digest, digestHex, HavreError, isHavreError, toHavreError } from "../../base/mod.ts";
import type { ImageLayer } from "../../images/mod.ts";
import { mediaTypes } from "../../spec/mod.ts";
import type { CopyOp, ExecOp } from "../graph/ops.ts";
import type { Vertex } from "../graph/vertex.ts";
import { makeFolder, makeFolderKey, prepareCopy } from "../ops/copy.ts";
import { runStep } from "../ops/exec.ts";
import { download } from "../ops/files/download.ts";
import { FolderSource } from "../ops/files/folder-source.ts";
import { checkOut } from "../ops/files/git.ts";
import { InlineSource } from "../ops/files/inline-source.ts";
import type { FileSource } from "../ops/files/source.ts";
import { mergeLayers } from "../ops/merge.ts";
import type { OnBuildEvent } from "./events.ts";
import { BuildFailed, OutputTail } from "./failure.ts";
import { LazyLayers } from "./lazy-layers.ts";
import type { Material, RememberedSteps, SolvedStep } from "./remembered.ts";
import type { Outcome, Solver, StepEvent, Supplies, WorkEvent } from "./solver.ts";
import { execKey, treesKey } from "./step-keys.ts";
import { type Known, StepRecords } from "./step-records.ts";
import { type LayeredTree, layered, type Tree } from "./tree.ts";

/** A step while it is looked for or run. */
interface Step {
  readonly vertex: Vertex;
  readonly parent: LayeredTree;
  /** What it is known by on a tree. */
  keys(top: ImageLayer | undefined): readonly Digest[];
  run(
    top: ImageLayer | undefined,
    tell: (event: WorkEvent) => void,
    signal: AbortSignal,
  ): Promise<ImageLayer | undefined>;
  readonly tail: OutputTail;
}

/** One build's way through its vertices. */
export class Run implements Disposable {
  readonly #solver: Solver;
  readonly #supplies: Supplies;
  readonly #remembered: readonly RememberedSteps[];
  readonly #records: StepRecords;
  readonly #emit: OnBuildEvent;
  readonly #signal: AbortSignal;
  readonly #results = new Map<Digest, Promise<Tree>>();
  readonly #lazy = new LazyLayers();
  readonly used = new Set<Digest>();
  readonly steps: SolvedStep[] = [];
  /** Ids of the cache folders that its steps ask for. */
  readonly folders = new Set<string>();
  readonly materials: Material[] = [];
  /** Downloads and checkouts; as long as the build. */
  readonly #held = new DisposableStack();

  constructor(
    solver: Solver,
    supplies: Supplies,
    remembered: readonly RememberedSteps[],
    emit: OnBuildEvent,
    signal: AbortSignal,
  ) {
    this.#solver = solver;
    this.#supplies = supplies;
    this.#remembered = remembered;
    this.#records = new StepRecords(solver.store, solver.ops);
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

  /** The tree with its layers on this machine. */
  async whole(tree: Tree): Promise<Tree> {
    return tree.kind === "layers" ? this.#lazy.bring(tree) : tree;
  }

  /** Whether all layers of a tree are here, or were brought meanwhile. */
  isHere({ layers }: LayeredTree): boolean {
    return layers.every(({ chainId }) => !this.#lazy.has(chainId));
  }

  async #make(vertex: Vertex): Promise<Tree> {
    const inputs = await Promise.all(vertex.inputs.map((input) => this.of(input)));
    this.#signal.throwIfAborted();
    return this.#told(vertex, inputs[0], (tail) => this.#dispatch(vertex, inputs, tail));
  }

  /** Tells of the beginning and the end of work on a vertex. */
  async #told(vertex: Vertex, before: Tree | undefined, work: (tail: OutputTail) => Promise<Made>): Promise<Tree> {
    const { clock } = this.#solver.ops;
    this.#emit({ kind: "started", vertex: vertex.digest, at: clock.now() });
    const tail = new OutputTail();
    try {
      const { tree, cached } = await work(tail);
      this.#emit({ kind: "finished", vertex: vertex.digest, at: clock.now(), cached, tree });
      return tree;
    } catch (failure) {
      const error = this.#signal.aborted ? cancelled(failure) : this.#failed(vertex, failure, tail, before);
      this.#emit({ kind: "finished", vertex: vertex.digest, at: clock.now(), cached: false, error });
      throw error;
    }
  }

  #failed(vertex: Vertex, failure: unknown, tail: OutputTail, before: Tree | undefined): BuildFailed {
    // What it began with was made again: the failure is that step's.
    if (failure instanceof BuildFailed) return failure;
    return new BuildFailed(vertex, failure, tail.text(), before);
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
      case "make-folder":
        return this.#step({
          vertex,
          parent: layered(inputs[0]),
          keys: (top) => [makeFolderKey(op, top)],
          run: (top, _tell, signal) => makeFolder(ops, op, top, signal),
          tail,
        });
      case "copy":
        return this.#copy(vertex, op, inputs, tail);
      case "merge": {
        const [base, upper] = await Promise.all([0, 1].map((at) => this.#lazy.bring(layered(inputs[at]))));
        const { layers, known } = await mergeLayers(ops, layered(base).layers, layered(upper).layers, this.#signal);
        return { tree: { kind: "layers", layers, createdAt: upper?.createdAt }, cached: known };
      }
      case "git": {
        const checkout = this.#held.use(await checkOut(ops, op, this.#signal));
        this.materials.push({ uri: op.remote, digest: { sha1: checkout.commit } });
        return made({ kind: "files", files: checkout.files });
      }
      case "http": {
        const tell = (current: number, total: number) => this.#progress(vertex, op.url, current, total);
        const files = this.#held.use(await download(ops, op, this.#signal, tell));
        const file = files.stat(op.name);
        const digest = file ? files.digest() : undefined;
        if (digest !== undefined) this.materials.push({ uri: op.url, digest: { sha256: digestHex(digest) } });
        return made({ kind: "files", files });
      }
    }
  }

  async #exec(vertex: Vertex, op: ExecOp, inputs: readonly Tree[], tail: OutputTail): Promise<Made> {
    const { ops, caches, slots } = this.#solver;
    const others = inputs.map(layered);
    for (const mount of op.mounts) if (mount.type === "cache") this.folders.add(mount.id);
    const tops = others.map(({ layers }) => layers.at(-1));
    return this.#step({
      vertex,
      parent: layered(others[0]),
      keys: (top) => [execKey(op, [top, ...tops.slice(1)])],
      run: async (top, tell, signal) => {
        const brought = await Promise.all(others.slice(1).map((tree) => this.#lazy.bring(tree)));
        const trees = new Map([top, ...brought.map(({ layers }) => layers.at(-1))].entries());
        const events = {
          running: (container: string) => tell({ kind: "running", container }),
          output: ({ stream, data }: { readonly stream: "stdout" | "stderr"; readonly data: Uint8Array }) =>
            tell({ kind: "log", stream, data, at: ops.clock.now() }),
        };
        const folderOf = (id: string) => this.#folder(id);
        const given = { trees, caches, lender: this.#supplies.lender, folderOf };
        return slots.run(() => runStep(ops, op, top, given, events, signal));
      },
      tail,
    });
  }

  async #copy(vertex: Vertex, op: CopyOp, inputs: readonly Tree[], tail: OutputTail): Promise<Made> {
    const { ops } = this.#solver;
    const parent = layered(inputs[0]);
    // Known trees are copied from as before, without a look at their files.
    const byTrees = treesKey(op, inputs);
    const early = byTrees === undefined || vertex.ignoreCache ? undefined : this.#known(byTrees(parent.layers.at(-1)));
    if (early) {
      this.#note({ vertex, parent, keys: early.keys, ...early.outcome });
      return { tree: onTop(parent, early.outcome), cached: true };
    }
    return this.#withSources(inputs, 0, [], async (sources) => {
      using held = new DisposableStack();
      const copy = await prepareCopy(ops, op, sources, held, this.#signal);
      return await this.#step({
        vertex,
        parent,
        keys: (top) => [copy.keyOn(top), ...(byTrees ? [byTrees(top)] : [])],
        run: (top, _tell, signal) => copy.run(top, signal),
        tail,
      });
    });
  }

  /** A step with a cache key: from a cache, or run once for all who want it now. */
  async #step(step: Step): Promise<Made> {
    const { vertex, parent } = step;
    const keys = step.keys(parent.layers.at(-1));
    for (const key of vertex.ignoreCache ? [] : keys) {
      const known = this.#known(key);
      if (!known) continue;
      if (keys.length > 1) await this.#records.write(vertex.name, parent, keys, known.outcome);
      this.#note({ vertex, parent, keys, ...known.outcome });
      return { tree: onTop(parent, known.outcome), cached: true };
    }
    const elsewhere = vertex.ignoreCache ? undefined : this.#elsewhere(step, keys);
    if (elsewhere) {
      this.#note({ vertex, parent, keys, ...elsewhere });
      return { tree: onTop(parent, elsewhere), cached: true };
    }
    const below = await this.#lazy.bring(parent);
    const outcome = await this.#run(step, below);
    this.#note({ vertex, parent: below, keys: step.keys(below.layers.at(-1)), ...outcome });
    return made(onTop(below, outcome));
  }

  async #run(step: Step, below: LayeredTree): Promise<Outcome> {
    const { ops, work } = this.#solver;
    const { vertex } = step;
    const top = below.layers.at(-1);
    const keys = step.keys(top);
    return work.run(
      vertex.ignoreCache ? `${keys[0]} ${ops.newId()}` : String(keys[0]),
      async (tell, signal) => {
        const layer = await step.run(top, tell, signal);
        const createdAt = ops.clock.now();
        await this.#records.write(step.vertex.name, below, keys, { layer, createdAt });
        return { layer, createdAt };
      },
      (event) => {
        if (event.kind === "log") step.tail.add(event.data);
        this.#emit({ ...event, vertex: vertex.digest } as StepEvent);
      },
      this.#signal,
    );
  }

  /** What another cache knows of a step. Its layer is fetched when somebody needs it, or else the step is run. */
  #elsewhere(step: Step, keys: readonly Digest[]): Outcome | undefined {
    const { parent } = step;
    for (const cache of this.#remembered) {
      const found = keys.map((key) => cache.find(key)).find((one) => one !== undefined);
      if (!found) continue;
      const { diffId, createdAt } = found;
      if (diffId === undefined) return { layer: undefined, createdAt };
      const chainId = chainIds([...parent.layers.map((layer) => layer.diffId), diffId]).at(-1) ?? diffId;
      this.#lazy.add(chainId, parent, (below) => this.#fetch(step, keys, below, { diffId, createdAt }));
      const blob = { mediaType: mediaTypes.ociLayer, digest: diffId, size: 0 };
      return { layer: { diffId, chainId, blob, size: 0 }, createdAt };
    }
    return undefined;
  }

  async #fetch(
    step: Step,
    keys: readonly Digest[],
    below: LayeredTree,
    { diffId, createdAt }: { readonly diffId: Digest; readonly createdAt: number },
  ): Promise<ImageLayer | undefined> {
    const top = below.layers.at(-1)?.chainId;
    const { ops } = this.#solver;
    const isSame = top === step.parent.layers.at(-1)?.chainId;
    for (const cache of isSame ? this.#remembered : []) {
      try {
        const layer = await cache.layer(diffId, top, this.#signal);
        if (!layer) continue;
        await this.#records.write(step.vertex.name, below, keys, { layer, createdAt });
        return layer;
      } catch (error) {
        this.#signal.throwIfAborted();
        // A cache is there to save work, not to make it fail.
        ops.log.warn("A cached layer was not fetched: its step is run", { diffId, error });
      }
    }
    const tree = await this.#told(step.vertex, below, async (tail) => {
      const outcome = await this.#run({ ...step, tail }, below);
      return made(onTop(below, outcome));
    });
    return layered(tree).layers.slice(below.layers.length).at(-1);
  }

  async #folder(id: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    for (const cache of this.#remembered) {
      try {
        const found = await cache.folder(id, this.#signal);
        if (found) return found;
      } catch (error) {
        this.#signal.throwIfAborted();
        this.#solver.ops.log.warn("A cache folder was not fetched", { id, error });
      }
    }
    return undefined;
  }

  #note(step: SolvedStep): void {
    this.steps.push(step);
  }

  #progress(vertex: Vertex, id: string, current: number, total: number): void {
    const at = this.#solver.ops.clock.now();
    const done = total > 0 && current >= total;
    this.#emit({ kind: "progress", vertex: vertex.digest, id, current, total, done, at });
  }

  #known(key: Digest): Known | undefined {
    const known = this.#records.find(key);
    if (known) this.used.add(key);
    return known;
  }

  /** Files of all inputs but the first, those of layers in a view that lasts as long as `use`. */
  async #withSources<T>(
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
    const { layers } = await this.#lazy.bring(input);
    return this.#solver.ops.snapshots.withView(layers.at(-1)?.chainId, async (root) => {
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

function onTop(parent: LayeredTree, { layer, createdAt }: Outcome): LayeredTree {
  return { kind: "layers", layers: layer ? [...parent.layers, layer] : parent.layers, createdAt };
}

function cancelled(failure: unknown): HavreError {
  if (isHavreError(failure, "cancelled")) return failure;
  return new HavreError("cancelled", "The build was cancelled", { cause: toHavreError(failure) });
}
