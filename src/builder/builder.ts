import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { type Digest, HavreError, joinAll, rfc3339Nano } from "../base/mod.ts";
import type { Artifacts, Documents, Image, ImageMaker } from "../images/mod.ts";
import { decompress } from "../images/mod.ts";
import { mountInfo, unmount } from "../kernel/mod.ts";
import type { ExecutionConfig, ImageConfig } from "../spec/mod.ts";
import type { Store } from "../store/mod.ts";
import type {
  AttestWish,
  BuildObserver,
  BuildRequest,
  BuildResult,
  BuiltPlatform,
  FilesRequest,
  PlatformFiles,
} from "./build-request.ts";
import { type CacheExport, exportCache } from "./cache/export-cache.ts";
import { importCache } from "./cache/import-cache.ts";
import type { CacheTransport } from "./cache/transport.ts";
import { parseDockerfile } from "./dockerfile/mod.ts";
import { isGitAddress, parseGitAddress } from "./graph/git-address.ts";
import { endOf } from "./graph/graph.ts";
import { makeGraph } from "./graph/make-graph.ts";
import { ImageResults, treeOf } from "./image-results.ts";
import { CacheFolders } from "./ops/cache-folders.ts";
import type { OpContext } from "./ops/context.ts";
import { download } from "./ops/files/download.ts";
import { checkOut } from "./ops/files/git.ts";
import { KeptContexts } from "./ops/files/kept-contexts.ts";
import type { FileSource } from "./ops/files/source.ts";
import { TarSource } from "./ops/files/tar-source.ts";
import { unpacked } from "./ops/files/unpacked.ts";
import { platformText, provenance } from "./provenance.ts";
import { BuildCache, type CacheHost } from "./solver/build-cache.ts";
import { BuildFailed } from "./solver/failure.ts";
import type { RememberedSteps } from "./solver/remembered.ts";
import { type Solved, Solver } from "./solver/solver.ts";

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
  readonly #results: ImageResults;

  /** Contexts as clients last sent them. */
  readonly kept: KeptContexts;

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
    this.#results = new ImageResults(ops);
    this.#contexts = join(ops.root, "contexts");
    for (const folder of [this.#contexts, ops.run]) mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.kept = new KeptContexts(join(ops.root, "kept"), ops.clock, ops.newId);
    const folders = new CacheFolders(join(ops.root, "caches"), ops.clock, ops.newId);
    this.#solver = new Solver(store, ops, folders);
    const { clock, root } = ops;
    this.cache = new BuildCache({
      ...{ store, folders, clock, root, ...cacheHost },
      forgetContexts: (before) => this.kept.forget(before ?? Number.POSITIVE_INFINITY),
    });
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
    this.kept.forget();
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

  /**
   * Builds an image; for several platforms one for each, all under the same names. `BuildFailed` when a step fails, a
   * `DockerfileError` for what is wrong in the Dockerfile.
   */
  build(request: BuildRequest, observer: BuildObserver, signal: AbortSignal): Promise<BuildResult> {
    const began = this.#ops.clock.now();
    const { names, attest } = request;
    return this.#solve(request, observer, signal, async (built) => {
      const images: Image[] = [];
      for (const one of built) {
        const image = await this.#results.make(request, built.length > 1 ? [] : names, one, signal);
        if (attest) await attest.told(() => this.#attest(attest, request, image, { ...one, began }, signal));
        images.push(image);
      }
      const [only] = images;
      if (!only) throw new HavreError("invalid-argument", "There is no platform to build for");
      if (images.length === 1) return { image: only, images };
      const first = await this.#ops.images.nameTogether(
        names,
        images.map(({ id }) => id),
      );
      return { image: first, images };
    });
  }

  /** The same without an image: it goes into an archive (an OCI layout that Docker loads, too), which `use` reads. */
  buildArchive(
    request: Omit<BuildRequest, "keepSteps">,
    observer: BuildObserver,
    use: (archive: AsyncIterable<Uint8Array>) => Promise<void>,
    signal: AbortSignal,
  ): ReturnType<ImageMaker["archive"]> {
    return this.#solve(request, observer, signal, (built) => {
      const images = built.map(({ plan, solved }) => {
        const tree = treeOf(solved.trees, endOf(plan.target).digest);
        const config = this.#results.configOf(request, plan, solved, tree);
        return { config, layers: tree.layers, names: request.names };
      });
      return this.#ops.images.archive(images, use, signal);
    });
  }

  /**
   * The same without an image: the files of the target are in a folder while `use` has them; of several platforms each in a folder
   * of its own.
   */
  buildFiles<T>(
    request: FilesRequest,
    observer: BuildObserver,
    use: (files: readonly PlatformFiles[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#solve(request, observer, signal, (built) => {
      const viewed = async (left: readonly BuiltPlatform[], files: readonly PlatformFiles[]): Promise<T> => {
        const [next, ...rest] = left;
        if (!next) return use(files);
        const { layers } = treeOf(next.solved.trees, endOf(next.plan.target).digest);
        return this.#ops.snapshots.withView(layers.at(-1)?.chainId, (folder) =>
          viewed(rest, [...files, { platform: next.platform, folder }]),
        );
      };
      return viewed(built, []);
    });
  }

  /** Solves it for each of its platforms, all at the same time. */
  async #solve<T>(
    request: FilesRequest,
    observer: BuildObserver,
    signal: AbortSignal,
    use: (built: readonly BuiltPlatform[]) => Promise<T>,
  ): Promise<T> {
    const { content, snapshots } = this.#ops;
    using contentHold = content.hold();
    using snapshotHold = snapshots.hold();
    void contentHold;
    void snapshotHold;
    const dockerfile = parseDockerfile(request.dockerfile);
    const { epoch, supplies, remembered = [], cacheTo = [] } = request;
    const { platforms = [request.options.platform] } = request;
    const built = await joinAll(
      platforms.map((platform, at) => async (stop: AbortSignal): Promise<BuiltPlatform> => {
        const several = platforms.length > 1 ? { inNames: platformText(platform) } : {};
        const options = { ...request.options, platform, ...several, ...(epoch === undefined ? {} : { epoch }) };
        const plan = await makeGraph(dockerfile, options, request.findImage, stop);
        stop.throwIfAborted();
        if (at === 0) observer.planned(plan, dockerfile);
        const solved = await this.#solver
          .solve([endOf(plan.target)], supplies, remembered, observer.event, stop)
          .catch((error: unknown) => this.#keepState(request, error));
        return { request: { ...request, options }, platform, plan, solved };
      }),
      signal,
    );
    const result = await use(built);
    for (const wanted of cacheTo) await this.#exportCache(wanted, built, remembered, signal);
    this.cache.tidy().catch((error: unknown) => this.#ops.log.warn("The build cache was not tidied", { error }));
    return result;
  }

  async #attest(
    { provenance: wish, bills, inIndex }: AttestWish,
    { dockerfile, names }: BuildRequest,
    image: Image,
    { plan, solved, request: { options }, began }: BuiltPlatform & { readonly began: number },
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
    built: readonly BuiltPlatform[],
    remembered: readonly RememberedSteps[],
    signal: AbortSignal,
  ): Promise<void> {
    const parts = { content: this.#ops.content, artifacts: this.#artifacts, folders: this.#solver.caches };
    const ends = built.map(({ plan, solved }) => treeOf(solved.trees, endOf(plan.target).digest));
    const solved = together(built.map((one) => one.solved));
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

  /** The configuration of an image that a stage comes to at some point. */
  configAt(...where: Parameters<ImageResults["configAt"]>): ImageConfig {
    return this.#results.configAt(...where);
  }
}

/** What several platforms of a build found out. */
function together(all: readonly Solved[]): Solved {
  return {
    trees: new Map(all.flatMap(({ trees }) => [...trees])),
    steps: all.flatMap(({ steps }) => steps),
    folders: new Set(all.flatMap(({ folders }) => [...folders])),
    materials: all.flatMap(({ materials }) => materials),
    isHere: (layer) => all.some((one) => one.isHere(layer)),
  };
}
