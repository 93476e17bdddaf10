import { type Clock, HavreError } from "../../base/mod.ts";
import type { BuildResult } from "../builder.ts";
import type { SourceFile } from "../dockerfile/mod.ts";
import { Progress } from "./progress.ts";
import type { RpcError } from "./rpc/status.ts";

/** What a result is to become. */
export interface Exporter {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** A build that a client has under way. */
export class ClientBuild {
  readonly ref: string;
  readonly session: string;
  readonly exporters: readonly Exporter[];
  readonly progress: Progress;
  readonly control = new AbortController();
  /** Results by the references the client knows them by. */
  readonly results = new Map<string, BuildResult>();
  /** What the client says in the end that the build comes to; undefined: nothing. */
  readonly returned = Promise.withResolvers<BuildResult | undefined>();
  dockerfile: SourceFile | undefined;
  /** The last error, in full: a client gives it back without all it holds. */
  failure: RpcError | undefined;

  constructor(ref: string, session: string, exporters: readonly Exporter[], progress: Progress) {
    this.ref = ref;
    this.session = session;
    this.exporters = exporters;
    this.progress = progress;
    this.returned.promise.catch(() => {});
  }

  /** Names of the image, where it is to be one of this machine. */
  get names(): readonly string[] {
    return this.exporters
      .filter(({ type }) => type === "moby" || type === "image" || type === "docker" || type === "oci")
      .flatMap(({ attributes }) => (attributes.name ?? "").split(","))
      .filter((name) => name !== "");
  }
}

/** The builds of all clients, by the refs they gave them. */
export class ClientBuilds {
  readonly #builds = new Map<string, ClientBuild>();
  readonly #awaited = new Map<string, PromiseWithResolvers<ClientBuild>>();
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor(clock: Clock, newId: () => string) {
    this.#clock = clock;
    this.#newId = newId;
  }

  /** `already-exists` when the ref is taken. */
  begin(ref: string, session: string, exporters: readonly Exporter[]): ClientBuild {
    if (this.#builds.has(ref)) throw new HavreError("already-exists", `job ID ${ref} exists`);
    const build = new ClientBuild(ref, session, exporters, new Progress(this.#clock, this.#newId));
    this.#builds.set(ref, build);
    this.#awaited.get(ref)?.resolve(build);
    this.#awaited.delete(ref);
    return build;
  }

  /** Those who read its progress go on to its end. */
  end(build: ClientBuild): void {
    build.progress.end();
    this.#builds.delete(build.ref);
  }

  /** The build of a ref, which may be about to begin. */
  get(ref: string, signal: AbortSignal): Promise<ClientBuild> {
    const build = this.#builds.get(ref);
    if (build) return Promise.resolve(build);
    const awaited = this.#awaited.get(ref) ?? Promise.withResolvers<ClientBuild>();
    this.#awaited.set(ref, awaited);
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#awaited.delete(ref);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      awaited.promise.then(resolve, reject);
    });
  }
}
