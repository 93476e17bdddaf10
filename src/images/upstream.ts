import { type Clock, type Digest, isDigest, isHavreError } from "../base/mod.ts";
import type { Descriptor, Index } from "../spec/mod.ts";
import type { Credentials } from "./registry/credentials.ts";
import { RegistryHttp } from "./registry/http.ts";
import { Session } from "./registry/registry.ts";
import { type RemoteManifest, RemoteRepository } from "./registry/remote-repository.ts";
import type { RegistrySettings } from "./registry/settings.ts";

/** A registry at an address of its own, read by who keeps copies of it. */
export class UpstreamRegistry {
  readonly #session: Session;

  /** `url` without a trailing slash; one that begins with http: is spoken to without TLS. */
  constructor(
    url: string,
    credentials: Credentials,
    { certificateFolders }: Pick<RegistrySettings, "certificateFolders">,
    clock: Clock,
  ) {
    const { host, protocol } = new URL(url);
    const endpoint = { base: url, host, insecure: protocol === "http:", mirror: false };
    this.#session = new Session(new RegistryHttp(certificateFolders, clock), clock, endpoint, credentials);
  }

  /** undefined when it is not there. */
  async manifest(path: string, reference: string): Promise<RemoteManifest | undefined> {
    try {
      return await this.#at(path).manifest(reference);
    } catch (error) {
      if (isHavreError(error, "not-found")) return undefined;
      throw error;
    }
  }

  digestOf(path: string, tag: string): Promise<Digest | undefined> {
    return this.#at(path).manifestDigest(tag);
  }

  blob(path: string, digest: Digest, offset: number): ReturnType<RemoteRepository["blob"]> {
    return this.#at(path).blob(digest, offset);
  }

  async tags(path: string): Promise<readonly string[]> {
    return Array.fromAsync(this.#at(path).tags());
  }

  /** Nothing where the registry knows no such lists. */
  async referrers(path: string, digest: Digest): Promise<readonly Descriptor[]> {
    const bytes = await this.#at(path).referrers(digest);
    const { manifests = [] } = bytes ? (JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<Index>) : {};
    return manifests.filter((one) => isDigest(one.digest));
  }

  #at(path: string): RemoteRepository {
    return new RemoteRepository(this.#session, path);
  }
}
