import { HavreError, type Logger } from "../../base/mod.ts";
import type { ContentStore } from "../../content/mod.ts";
import type { Artifacts, Credentials, Images } from "../../images/mod.ts";
import { parseReference } from "../../spec/mod.ts";
import type { Builder } from "../builder.ts";
import type { RememberedSteps } from "../solver/remembered.ts";
import type { CacheExport } from "./export-cache.ts";
import { localImageCache } from "./image-cache.ts";
import { type CacheOption, exportWishes, unknownCache } from "./options.ts";
import { type CacheTransport, registryCache } from "./transport.ts";

type CredentialsFor = (registry: string) => Credentials;
/** The cache of `type=local` that an option means, where the client has folders. */
type FolderFor = (option: CacheOption) => CacheTransport;

interface Parts {
  readonly builder: Builder;
  readonly images: Images;
  readonly artifacts: Artifacts;
  readonly content: ContentStore;
  readonly log: Logger;
}

export function registryOption(ref: string): CacheOption {
  return { type: "registry", attributes: { ref } };
}

/** Caches that the daemon itself reaches: at registries, and in images that are here. Those in folders are the client's to reach. */
export class RemoteCaches {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** One that is not there is none; what cannot be reached is told to the log, and the build goes on without it. */
  async open(
    options: readonly CacheOption[],
    credentials: CredentialsFor,
    signal: AbortSignal,
    folder?: FolderFor,
  ): Promise<readonly RememberedSteps[]> {
    const { builder, log } = this.#parts;
    const opened = await Promise.all(
      options
        .flatMap((option) => this.#sources(option, credentials, folder))
        .map(async (source) => {
          try {
            return await builder.openCache(source, signal);
          } catch (error) {
            signal.throwIfAborted();
            if (!(error instanceof HavreError)) throw error;
            log.warn("A cache was not imported", { from: source.name, error });
            return undefined;
          }
        }),
    );
    return opened.filter((cache) => cache !== undefined);
  }

  exports(
    options: readonly CacheOption[],
    credentials: CredentialsFor,
    told: (name: string, work: () => Promise<void>) => Promise<void>,
    folder?: FolderFor,
  ): readonly CacheExport[] {
    return options
      .filter(({ type }) => type !== "inline")
      .map((option) => {
        const local = option.type === "local" ? folder?.(option) : undefined;
        const transport = local ?? this.#registry(option.attributes.ref ?? "", credentials);
        return { transport, ...exportWishes(option), told: (work) => told(transport.name, work) };
      });
  }

  /** Of an image that is here, and of that at the registry. */
  #sources(option: CacheOption, credentials: CredentialsFor, folder?: FolderFor): readonly CacheTransport[] {
    const { type, attributes } = option;
    const { ref } = attributes;
    if (type === "local" && folder) return [folder(option)];
    if (type !== "registry" || !ref) throw unknownCache("importer", type);
    const local = localImageCache(this.#parts.images, this.#parts.content, ref);
    return local ? [local] : [this.#registry(ref, credentials)];
  }

  #registry(ref: string, credentials: CredentialsFor): CacheTransport {
    return registryCache(this.#parts.artifacts, {
      reference: ref,
      credentials: credentials(parseReference(ref).domain),
    });
  }
}
