import { HavreError } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { Artifacts } from "../../images/mod.ts";
import { parseReference } from "../../spec/mod.ts";
import type { CacheExport } from "../cache/export-cache.ts";
import { folderCache } from "../cache/folder-cache.ts";
import { type CacheOption, exportWishes, unknownCache } from "../cache/options.ts";
import { type CacheTransport, registryCache } from "../cache/transport.ts";
import type { RememberedSteps } from "../solver/remembered.ts";
import type { ClientBuild } from "./builds.ts";
import { ClientStore } from "./client-store.ts";
import { credentialsFor } from "./credentials.ts";
import type { FrontendRequest } from "./frontend-options.ts";
import type { BuildTools } from "./run-build.ts";
import type { Session } from "./session.ts";

interface CacheTools extends Pick<BuildTools, "builder"> {
  readonly artifacts: Artifacts;
  readonly content: ContentStore;
}

/** The caches that a build of a client begins with and leaves. */
export class ClientCaches {
  readonly #tools: CacheTools;
  readonly #build: ClientBuild;
  readonly #session: Session;
  readonly #signal: AbortSignal;

  constructor(tools: CacheTools, build: ClientBuild, session: Session, signal: AbortSignal) {
    this.#tools = tools;
    this.#build = build;
    this.#session = session;
    this.#signal = signal;
  }

  /** One that cannot be had is told of, and the build goes on without it. */
  async open({ cacheFrom }: FrontendRequest): Promise<readonly RememberedSteps[]> {
    const opened = await Promise.all(cacheFrom.map((option) => this.#open(option)));
    return opened.filter((cache) => cache !== undefined);
  }

  async #open(option: CacheOption): Promise<RememberedSteps | undefined> {
    const { type, attributes } = option;
    const name = attributes.ref ?? attributes.src ?? type;
    try {
      return await this.#build.progress.task(`importing cache manifest from ${name}`, async () => {
        const cache = await this.#tools.builder.openCache(await this.#importFrom(option), this.#signal);
        if (!cache) throw new HavreError("not-found", `${name}: not found`);
        return cache;
      });
    } catch (error) {
      this.#signal.throwIfAborted();
      // Its task says what was wrong.
      if (error instanceof HavreError) return undefined;
      throw error;
    }
  }

  async #importFrom({ type, attributes }: CacheOption): Promise<CacheTransport> {
    const { ref, src, digest } = attributes;
    if (type === "registry" && ref) return this.#registry(ref);
    if (type === "local" && src) {
      return folderCache(new ClientStore(this.#session, src), this.#tools.content, {
        folder: src,
        ...(digest ? { top: digest } : {}),
      });
    }
    throw unknownCache("importer", type);
  }

  async #registry(ref: string): Promise<CacheTransport> {
    const credentials = await credentialsFor(this.#session, parseReference(ref).domain, this.#signal);
    return registryCache(this.#tools.artifacts, { reference: ref, credentials });
  }

  /** What is left to a registry or a folder. */
  async exports(): Promise<readonly CacheExport[]> {
    const outside = this.#build.cacheTo.filter(({ type }) => type !== "inline");
    return Promise.all(outside.map((option) => this.#export(option)));
  }

  get inline(): boolean {
    return this.#build.cacheTo.some(({ type }) => type === "inline");
  }

  async #export(option: CacheOption): Promise<CacheExport> {
    const { type, attributes } = option;
    const { ref = "", dest = "" } = attributes;
    const told = (work: () => Promise<void>) =>
      this.#build.progress.task(
        type === "local" ? "exporting cache to client directory" : "exporting cache to registry",
        work,
      );
    const sent = (manifest: object) => {
      this.#build.response["cache.manifest"] = JSON.stringify(manifest);
    };
    return {
      transport:
        type === "local"
          ? folderCache(new ClientStore(this.#session, dest), this.#tools.content, { folder: dest, sent })
          : await this.#registry(ref),
      ...exportWishes(option),
      told,
    };
  }
}
