import { type Clock, HavreError } from "../../base/mod.ts";
import type { CacheOption } from "../cache/options.ts";
import type { SourceFile } from "../dockerfile/mod.ts";
import type { Exporter, ExporterResponse } from "./exporters.ts";
import { Progress } from "./progress.ts";
import type { RpcError } from "./rpc/status.ts";

/** A build that a client has under way. */
export class ClientBuild {
  readonly ref: string;
  readonly session: string;
  readonly exporters: readonly Exporter[];
  readonly cacheTo: readonly CacheOption[];
  readonly progress: Progress;
  readonly control = new AbortController();
  /** What the client is told of its results. */
  readonly response: ExporterResponse = {};
  /** Settled when the client says that it has what it wanted, or that it failed. */
  readonly returned = Promise.withResolvers<void>();
  dockerfile: SourceFile | undefined;
  /** The last error, in full: a client gives it back without all it holds. */
  failure: RpcError | undefined;

  constructor(
    ref: string,
    session: string,
    exporters: readonly Exporter[],
    cacheTo: readonly CacheOption[],
    progress: Progress,
  ) {
    this.ref = ref;
    this.session = session;
    this.exporters = exporters;
    this.cacheTo = cacheTo;
    this.progress = progress;
    this.returned.promise.catch(() => {});
  }
}

/** Builds whose end is still known to who asks late. */
const REMEMBERED = 64;
/** Milliseconds for a client to begin the build that it speaks of. */
const PATIENCE = 20_000;

/** The builds of all clients, by the refs they gave them. */
export class ClientBuilds {
  readonly #builds = new Map<string, ClientBuild>();
  readonly #ended = new Map<string, ClientBuild>();
  readonly #awaited = new Map<string, PromiseWithResolvers<ClientBuild>>();
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  /** `already-exists` when the ref is taken. */
  begin(
    ref: string,
    session: string,
    exporters: readonly Exporter[] = [],
    cacheTo: readonly CacheOption[] = [],
  ): ClientBuild {
    if (this.#builds.has(ref)) throw new HavreError("already-exists", `job ID ${ref} exists`);
    const build = new ClientBuild(ref, session, exporters, cacheTo, new Progress(this.#clock, this.#newId));
    this.#builds.set(ref, build);
    this.#awaited.get(ref)?.resolve(build);
    this.#awaited.delete(ref);
    return build;
  }

  /** Those who read its progress go on to its end, and so does who comes a little late. */
  end(build: ClientBuild): void {
    build.progress.end();
    this.#builds.delete(build.ref);
    this.#ended.set(build.ref, build);
    const [oldest] = this.#ended.keys();
    if (this.#ended.size > REMEMBERED && oldest !== undefined) this.#ended.delete(oldest);
  }

  /** The build of a ref that is under way, or about to begin. `not-found`; its own failure when it has failed. */
  async running(ref: string, signal: AbortSignal): Promise<ClientBuild> {
    const build = await this.find(ref, signal);
    if (this.#builds.has(ref)) return build;
    throw build.failure ?? new HavreError("not-found", `no such job ${ref}`);
  }

  /** The build of a ref, also one that ended just now or is about to begin. `not-found`. */
  async find(ref: string, signal: AbortSignal): Promise<ClientBuild> {
    const build = this.#builds.get(ref) ?? this.#ended.get(ref);
    if (build) return build;
    const awaited = this.#awaited.get(ref) ?? Promise.withResolvers<ClientBuild>();
    this.#awaited.set(ref, awaited);
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#awaited.delete(ref);
        reject(signal.aborted ? signal.reason : new HavreError("not-found", `no such job ${ref}`));
      };
      patience.addEventListener("abort", leave, { once: true });
      awaited.promise.then(resolve, reject);
    });
  }
}
