import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type Digest, digestOf, HavreError, rfc3339Nano } from "../base/mod.ts";
import type { Artifacts, Documents, Image, ImageMaker } from "../images/mod.ts";
import { decompress } from "../images/mod.ts";
import { mountInfo, unmount } from "../kernel/mod.ts";
import type { ExecutionConfig, ImageConfig, Platform } from "../spec/mod.ts";
import type { Store } from "../store/mod.ts";
import { INLINE_FIELD } from "./cache/cache-config.ts";
import { type CacheExport, exportCache, inlineCache } from "./cache/export-cache.ts";
import { importCache } from "./cache/import-cache.ts";
import type { CacheTransport } from "./cache/transport.ts";
import { type Dockerfile, parseDockerfile, type SourceFile } from "./dockerfile/mod.ts";
import { isGitAddress, parseGitAddress } from "./graph/git-address.ts";
import { type BuildGraph, endOf, type GraphStage, type ImageState, stateOf } from "./graph/graph.ts";
import { imageConfig } from "./graph/image-config.ts";
import { makeGraph } from "./graph/make-graph.ts";
import type { FindImage, GraphOptions } from "./graph/options.ts";
import type { Vertex } from "./graph/vertex.ts";
import { CacheFolders } from "./ops/cache-folders.ts";
import type { OpContext } from "./ops/context.ts";
import { download } from "./ops/files/download.ts";
import { checkOut } from "./ops/files/git.ts";
import type { FileSource } from "./ops/files/source.ts";
import { TarSource } from "./ops/files/tar-source.ts";
import { unpacked } from "./ops/files/unpacked.ts";
import { squash } from "./ops/squash.ts";
import { type ProvenanceWish, provenance } from "./provenance.ts";
import { BuildCache, type CacheHost } from "./solver/build-cache.ts";
import type { OnBuildEvent } from "./solver/events.ts";
import { BuildFailed } from "./solver/failure.ts";
import type { RememberedSteps } from "./solver/remembered.ts";
import { type Solved, Solver, type Supplies } from "./solver/solver.ts";
import type { LayeredTree, Tree } from "./solver/tree.ts";

export interface BuildRequest {
  readonly dockerfile: SourceFile;
  readonly options: GraphOptions;
  readonly supplies: Supplies;
  readonly findImage: FindImage;
  /** What to call the image. */
  readonly names: readonly string[];
  /** Also the images between the steps, each the parent of the next, as Docker's own builder leaves them. */
  readonly keepSteps: boolean;
  /** What every time in the image is to be, milliseconds since the epoch (`SOURCE_DATE_EPOCH`). */
  readonly epoch?: number;
  /** When a step fails, keep what it began with as an image of this platform: `state` of the `BuildFailed`. */
  readonly keepsFailed?: Platform;
  /** All layers that the build made as one. */
  readonly squash?: boolean;
  /** Caches of elsewhere that it begins with. */
  readonly remembered?: readonly RememberedSteps[];
  /** Where what it finds out goes when it has succeeded. */
  readonly cacheTo?: readonly CacheExport[];
  /** The image carries a cache of its own layers. */
  readonly inlineCache?: boolean;
  /** What is to be said about the image. */
  readonly attest?: AttestWish;
}

/** What is said about an image that is built. */
export interface AttestWish {
  readonly provenance?: ProvenanceWish;
  /** Bills of materials in these formats. */
  readonly bills: readonly ("spdx" | "cyclonedx")[];
  /** In an index with the image, too, as BuildKit has it. */
  readonly inIndex: boolean;
  /** Runs the work where it is told of. */
  told(work: () => Promise<void>): Promise<void>;
}

export interface BuildObserver {
  /** Before anything runs. */
  planned(plan: BuildGraph, dockerfile: Dockerfile): void;
  readonly event: OnBuildEvent;
}

export interface BuildResult {
  readonly image: Image;
  readonly plan: BuildGraph;
}

/**
 * Builds images. One for each daemon: what several builds want at the same time is made once. Owns `<root>/builder`, and
 * `<run>/build` for what steps need while they run.
 */
export class Builder {
  readonly #ops: OpContext;
  readonly #solver: Solver;
  readonly #contexts: string;
  readonly #artifacts: Artifacts;
  readonly #documents: Documents;

  /** What builds left for builds to come. */
  readonly cache: BuildCache;

  constructor(
    store: Store,
    ops: OpContext,
    { artifacts, documents }: { readonly artifacts: Artifacts; readonly documents: Documents },
    cacheHost: Pick<CacheHost, "imageLayers" | "collect">,
  ) {
    this.#ops = ops;
    this.#artifacts = artifacts;
    this.#documents = documents;
    this.#contexts = join(ops.root, "contexts");
    for (const folder of [this.#contexts, ops.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    const folders = new CacheFolders(join(ops.root, "caches"), ops.clock, ops.newId);
    this.#solver = new Solver(store, ops, folders);
    const { clock, root } = ops;
    this.cache = new BuildCache({ store, folders, clock, root, ...cacheHost });
  }

  /** After a start: removes what builds of a killed daemon have left. Their processes are the engine's to end. */
  recover(): void {
    for (const name of readdirSync(this.#contexts))
      rmSync(join(this.#contexts, name), { recursive: true, force: true });
    for (const { mountPoint } of mountInfo().reverse()) {
      if (mountPoint.startsWith(`${this.#ops.run}/`)) unmount(mountPoint, { detach: true });
    }
    for (const name of readdirSync(this.#ops.run)) rmSync(join(this.#ops.run, name), { recursive: true, force: true });
    this.#solver.caches.recover();
  }

  /** Takes in a context that a client sends as an archive, compressed or not. To be disposed when the build is over. */
  async receive(
    tar: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    onBytes?: (total: number) => void,
  ): Promise<TarSource & Disposable> {
    const path = join(this.#contexts, this.#ops.newId());
    const source = await TarSource.read(decompress(tar, signal), path, signal, onBytes).finally(() =>
      // Open, it stays readable; its name is not needed, and nothing is left if this daemon is killed.
      rmSync(path, { force: true }),
    );
    return source;
  }

  /**
   * Fetches a context: a git repository, an archive, or a lone Dockerfile. To be disposed when the build is over.
   * `not-found`, `unavailable`.
   */
  async fetch(address: string, signal: AbortSignal): Promise<{ readonly files: FileSource } & Disposable> {
    if (isGitAddress(address)) {
      return checkOut(this.#ops, { kind: "git", keepGitDir: false, ...parseGitAddress(address) }, signal);
    }
    const got = await download(this.#ops, { kind: "http", url: address, name: "Dockerfile" }, signal);
    const file = got.stat("Dockerfile");
    const archive = file && (await unpacked(this.#ops, got, file, signal));
    if (!archive) return { files: got, [Symbol.dispose]: () => got[Symbol.dispose]() };
    got[Symbol.dispose]();
    return { files: archive, [Symbol.dispose]: () => archive[Symbol.dispose]() };
  }

  /** Builds an image. `BuildFailed` when a step fails, a `DockerfileError` for what is wrong in the Dockerfile. */
  build(request: BuildRequest, observer: BuildObserver, signal: AbortSignal): Promise<BuildResult> {
    const began = this.#ops.clock.now();
    return this.#solve(request, observer, signal, async (plan, solved) => {
      const image = await this.#makeImage(request, plan, solved, signal);
      const { attest } = request;
      if (attest) await attest.told(() => this.#attest(attest, request, image, { plan, solved, began }, signal));
      return { image, plan };
    });
  }

  /** The same without an image: it goes into an archive (an OCI layout that Docker loads, too), which `use` reads. */
  buildArchive(
    request: Omit<BuildRequest, "keepSteps">,
    observer: BuildObserver,
    use: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
    signal: AbortSignal,
  ): ReturnType<ImageMaker["archive"]> {
    return this.#solve(request, observer, signal, (plan, solved) => {
      const tree = layered(solved.trees, endOf(plan.target).digest);
      const config = this.#configOf(request, plan, solved, tree);
      return this.#ops.images.archive({ config, layers: tree.layers, names: request.names }, use, signal);
    });
  }

  /** The same without an image: the files of the target are in a folder while `use` has them. */
  buildFiles<T>(
    request: Omit<BuildRequest, "names" | "keepSteps">,
    observer: BuildObserver,
    use: (folder: string) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#solve(request, observer, signal, ({ target }, { trees }) => {
      const { layers } = layered(trees, endOf(target).digest);
      return this.#ops.snapshots.withView(layers.at(-1)?.chainId, use);
    });
  }

  async #solve<T>(
    request: Omit<BuildRequest, "names" | "keepSteps">,
    observer: BuildObserver,
    signal: AbortSignal,
    use: (plan: BuildGraph, solved: Solved) => Promise<T>,
  ): Promise<T> {
    const { content, snapshots } = this.#ops;
    using contentHold = content.hold();
    using snapshotHold = snapshots.hold();
    void contentHold;
    void snapshotHold;
    const dockerfile = parseDockerfile(request.dockerfile);
    const { epoch } = request;
    const options = epoch === undefined ? request.options : { ...request.options, epoch };
    const plan = await makeGraph(dockerfile, options, request.findImage, signal);
    signal.throwIfAborted();
    observer.planned(plan, dockerfile);
    const { supplies, remembered = [], cacheTo = [] } = request;
    const end = endOf(plan.target);
    const solved = await this.#solver
      .solve([end], supplies, remembered, observer.event, signal)
      .catch((error: unknown) => this.#keepState(request, error));
    const result = await use(plan, solved);
    for (const wanted of cacheTo) await this.#exportCache(wanted, solved, end, remembered, signal);
    this.cache.tidy().catch((error: unknown) => this.#ops.log.warn("The build cache was not tidied", { error }));
    return result;
  }

  async #attest(
    { provenance: wish, bills, inIndex }: AttestWish,
    { dockerfile, options, names }: BuildRequest,
    image: Image,
    { plan, solved, began }: { readonly plan: BuildGraph; readonly solved: Solved; readonly began: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { images, clock, newId } = this.#ops;
    const said = await this.#documents.bills(image.id, names[0] ?? image.id, bills, signal);
    const facts = {
      ...{ dockerfile, options, plan, materials: solved.materials, host: hostname(), invocation: newId(), began },
      digestOf: (id: Digest) => images.digestOf(id),
      ended: clock.now(),
    };
    const how = wish ? [{ kind: "provenance" as const, value: provenance({ ...facts, wish }) }] : [];
    await this.#documents.attach(image.id, [...how, ...said], inIndex);
  }

  async #exportCache(
    wanted: CacheExport,
    solved: Solved,
    { digest }: Vertex,
    remembered: readonly RememberedSteps[],
    signal: AbortSignal,
  ): Promise<void> {
    const parts = { content: this.#ops.content, artifacts: this.#artifacts, folders: this.#solver.caches };
    const ends = [layered(solved.trees, digest)];
    try {
      await wanted.told(() => exportCache(parts, solved, ends, remembered, wanted, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (!wanted.ignoresErrors) throw error;
      this.#ops.log.warn("The build's cache was not exported", { to: wanted.transport.name, error });
    }
  }

  /** Opens a cache that another build exported. undefined: there is none. */
  openCache(transport: CacheTransport, signal: AbortSignal): Promise<RememberedSteps | undefined> {
    return importCache(this.#ops, transport, signal);
  }

  /** An image of what a step that failed began with, for who wants to look at it. It has no name. */
  async #keepState({ keepsFailed }: Pick<BuildRequest, "keepsFailed">, error: unknown): Promise<never> {
    if (!(error instanceof BuildFailed) || !keepsFailed || !error.before) throw error;
    const { vertex, before } = error;
    const { op } = vertex;
    const config: ExecutionConfig =
      op.kind === "exec" ? { Env: op.env, WorkingDir: op.workingFolder, User: op.user, Cmd: ["/bin/sh"] } : {};
    const { architecture, os } = keepsFailed;
    const made = await this.#ops.images.make({
      config: {
        architecture,
        config,
        created: rfc3339Nano(this.#ops.clock.now()),
        history: before.layers.map(() => ({ created_by: vertex.name })),
        os,
        rootfs: { type: "layers", diff_ids: before.layers.map(({ diffId }) => diffId) },
      },
      layers: before.layers,
      names: [],
    });
    error.state = made.id;
    throw error;
  }

  async #makeImage(request: BuildRequest, plan: BuildGraph, solved: Solved, signal: AbortSignal): Promise<Image> {
    const { images } = this.#ops;
    const { trees } = solved;
    let parent = baseOf(plan, plan.target)?.id;
    if (request.keepSteps) {
      for (const { stage, state, tree } of statesBefore(plan, trees)) {
        const config = this.configAt(plan, stage, state, tree, trees, request.epoch);
        const id = digestOf(JSON.stringify(config));
        if (!images.knows(id)) {
          await images.make({ config, layers: tree.layers, names: [], ...(parent ? { parent } : {}) });
        }
        parent = id;
      }
    }
    const tree = layered(trees, endOf(plan.target).digest);
    const config = this.#configOf(request, plan, solved, tree);
    const { names } = request;
    if (request.squash) return this.#makeSquashed(config, tree, baseOf(plan, plan.target), names, signal);
    return images.make({ config, layers: tree.layers, names, ...(parent ? { parent } : {}) });
  }

  /** Docker's way: the history tells of every step as of one without a layer, and at last of the merging. */
  async #makeSquashed(
    config: ImageConfig,
    { layers }: LayeredTree,
    base: GraphStage["base"],
    names: readonly string[],
    signal: AbortSignal,
  ): Promise<Image> {
    const keep = base?.config.rootfs.diff_ids.length ?? 0;
    const given = base?.config.history?.length ?? 0;
    const layer = await squash(this.#ops, layers, keep, signal);
    const kept = layer ? [...layers.slice(0, keep), layer] : layers.slice(0, keep);
    const id = digestOf(JSON.stringify(config));
    const history = (config.history ?? []).map((entry, at) => (at < given ? entry : { ...entry, empty_layer: true }));
    const { created } = config;
    const comment = base ? `merge ${id} to ${base.id}` : `create new from ${id}`;
    const merged = { ...(created ? { created } : {}), comment, ...(layer ? {} : { empty_layer: true }) };
    return this.#ops.images.make({
      config: {
        ...config,
        history: [...history, merged],
        rootfs: { type: "layers", diff_ids: kept.map(({ diffId }) => diffId) },
      },
      layers: kept,
      names,
    });
  }

  /** The configuration of the image that a build comes to. */
  #configOf(
    { epoch, inlineCache: inlined }: Pick<BuildRequest, "epoch" | "inlineCache">,
    plan: BuildGraph,
    { trees, steps }: Solved,
    tree: LayeredTree,
  ): ImageConfig {
    const config = this.configAt(plan, plan.target, stateOf(plan.target), tree, trees, epoch);
    return inlined ? { ...config, [INLINE_FIELD]: inlineCache(steps, tree, epoch) } : config;
  }

  /** The configuration of an image that a stage comes to at some point. */
  configAt(
    plan: BuildGraph,
    stage: GraphStage,
    state: ImageState,
    tree: LayeredTree,
    trees: ReadonlyMap<Digest, Tree>,
    epoch?: number,
  ) {
    return imageConfig({
      state,
      tree,
      trees,
      platform: stage.platform,
      base: baseOf(plan, stage)?.config,
      now: this.#ops.clock.now(),
      ...(epoch === undefined ? {} : { epoch }),
    });
  }
}

/** The image at the bottom of a stage, through the stages it is made on. */
function baseOf(plan: BuildGraph, stage: GraphStage): GraphStage["base"] {
  if (stage.base) return stage.base;
  const below = plan.stages.find((other) => other !== stage && endOf(other).digest === stage.start.digest);
  return below && baseOf(plan, below);
}

function layered(trees: ReadonlyMap<Digest, Tree>, digest: Digest): LayeredTree {
  const tree = trees.get(digest);
  if (tree?.kind === "layers") return tree;
  throw new HavreError("internal", "A stage did not come to a tree");
}

/** What the target stage, and those it is made on, were after each step but the last. */
function* statesBefore(plan: BuildGraph, trees: ReadonlyMap<Digest, Tree>) {
  const line: GraphStage[] = [];
  for (let stage: GraphStage | undefined = plan.target; stage; ) {
    line.unshift(stage);
    const { start, base }: GraphStage = stage;
    const current: GraphStage = stage;
    stage = base ? undefined : plan.stages.find((other) => other !== current && endOf(other).digest === start.digest);
  }
  const all = line.flatMap((stage) => stage.steps.map((step) => ({ stage, step })));
  for (const { stage, step } of all.slice(0, -1)) {
    yield { stage, state: step.state, tree: layered(trees, step.vertex.digest) };
  }
}
