import type { Digest } from "../base/mod.ts";
import { type Descriptor, type Platform, parseReference, withDefaultTag } from "../spec/mod.ts";
import { type Artifacts, RemoteArtifacts } from "./artifacts.ts";
import type { Context } from "./context.ts";
import type { Distribution, PullRequest, PushRequest, SearchResult } from "./distribution.ts";
import { type Documents, ImageDocuments } from "./documents.ts";
import type { OnProgress } from "./images.ts";
import { MAX_DOCUMENT, parseConfig, parseIndex, parseJson, parseManifest } from "./parse.ts";
import { Downloads } from "./pull/downloads.ts";
import { pullImage, remoteManifest } from "./pull/pull.ts";
import { isIndex } from "./pull/select.ts";
import { Gzip } from "./push/gzip.ts";
import { pushImage } from "./push/push.ts";
import type { Credentials } from "./registry/credentials.ts";
import { Registries } from "./registry/registry.ts";
import { searchRegistry } from "./registry/search.ts";
import { type RegistrySettings, registryDomain } from "./registry/settings.ts";

/** Images of this machine to and from registries. */
export class RemoteImages implements Distribution {
  readonly #context: Context;
  readonly #registries: Registries;
  readonly #downloads: Downloads;
  readonly #gzip = new Gzip();
  readonly artifacts: Artifacts;
  readonly documents: Documents;

  constructor(context: Context, settings: RegistrySettings) {
    this.#context = context;
    this.#registries = new Registries(settings, context.clock);
    this.#downloads = new Downloads(context.content);
    this.documents = new ImageDocuments(context, this.#registries);
    this.artifacts = new RemoteArtifacts(context, this.#registries, this.#downloads, this.#gzip);
  }

  pull(request: PullRequest, progress: OnProgress, signal?: AbortSignal): Promise<void> {
    const source = { context: this.#context, registries: this.#registries, downloads: this.#downloads };
    return pullImage(source, request, progress, signal);
  }

  push(request: PushRequest, progress: OnProgress, signal?: AbortSignal): Promise<void> {
    const sender = { context: this.#context, registries: this.#registries, gzip: this.#gzip };
    return pushImage(sender, request, progress, signal);
  }

  signIn(server: string, credentials: Credentials, signal?: AbortSignal): Promise<void> {
    return this.#registries.signIn(registryDomain(server), credentials, signal);
  }

  async inspect(
    name: string,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<{ readonly descriptor: Descriptor; readonly platforms: readonly Platform[] }> {
    const reference = withDefaultTag(parseReference(name));
    return this.#registries.withRepository(reference, credentials, false, async (repository) => {
      const { descriptor, bytes } = await remoteManifest(repository, reference, signal);
      const document = parseJson(bytes, `Manifest ${descriptor.digest}`);
      if (isIndex(descriptor.mediaType)) {
        const { manifests } = parseIndex(document, `index ${descriptor.digest}`);
        return { descriptor, platforms: manifests.flatMap(({ platform }) => platform ?? []) };
      }
      const { config } = parseManifest(document, `manifest ${descriptor.digest}`);
      const raw = await repository.smallBlob(config, MAX_DOCUMENT, signal);
      const { architecture, os, variant } = parseConfig(
        parseJson(raw, `Configuration ${config.digest}`),
        config.digest,
      );
      return { descriptor, platforms: [{ architecture, os, ...(variant ? { variant } : {}) }] };
    });
  }

  digestOf(name: string, credentials: Credentials, signal?: AbortSignal): Promise<Digest | undefined> {
    const reference = withDefaultTag(parseReference(name));
    return this.#registries.withRepository(reference, credentials, false, (repository) =>
      repository.manifestDigest(reference.digest ?? reference.tag ?? "", signal),
    );
  }

  search(
    term: string,
    limit: number,
    credentials: Credentials,
    signal?: AbortSignal,
  ): Promise<readonly SearchResult[]> {
    return searchRegistry(this.#registries, term, limit, credentials, signal);
  }
}
