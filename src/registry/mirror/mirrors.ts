import { type Digest, isHavreError, KeyedMutex } from "../../base/mod.ts";
import { type Descriptor, type Index, mediaTypes } from "../../spec/mod.ts";
import type { Blobs } from "../blobs.ts";
import { ITSELF, type RegistryContext } from "../context.ts";
import { RegistryFault } from "../fault.ts";
import { type Manifests, unknownManifest } from "../manifests.ts";
import type { ManifestName } from "../names.ts";
import { blobLinks, inRepository, type ManifestRecord, manifestRecords } from "../objects.ts";
import type { Mirror } from "../settings/settings.ts";
import { Download } from "./download.ts";
import type { Connect, Upstream } from "./upstream.ts";

const MOST_ASKED = 100_000;

interface Connected extends Mirror {
  readonly source: Upstream;
}

/**
 * Repositories that are another registry's: what is asked for and not here is fetched, kept, and served from here from
 * then on, also when upstream cannot be reached.
 */
export class Mirrors {
  hits = 0;
  misses = 0;
  readonly #context: RegistryContext;
  readonly #manifests: Manifests;
  readonly #blobs: Blobs;
  readonly #connect: Connect;
  readonly #turns = new KeyedMutex();
  readonly #downloads = new Map<string, Download>();
  /** When upstream last said where a tag points, by `repository:tag`. */
  readonly #asked = new Map<string, number>();
  #mirrors: readonly Connected[] = [];

  constructor(context: RegistryContext, manifests: Manifests, blobs: Blobs, connect: Connect) {
    this.#context = context;
    this.#manifests = manifests;
    this.#blobs = blobs;
    this.#connect = connect;
  }

  /** The longest prefix goes first. */
  replace(mirrors: readonly Mirror[]): void {
    const byLength = [...mirrors].sort((a, b) => b.prefix.length - a.prefix.length);
    this.#mirrors = byLength.map((mirror) => ({ ...mirror, source: this.#connect(mirror) }));
    this.#asked.clear();
  }

  /** UNSUPPORTED for a repository that is another registry's. */
  refuseWrites(repository: string): void {
    const found = this.#of(repository);
    if (!found) return;
    throw new RegistryFault("UNSUPPORTED", `${repository} is a copy of ${found.mirror.upstream}: push there`);
  }

  /** Makes a manifest be here, as it is upstream now, if the repository is mirrored. MANIFEST_UNKNOWN. */
  async manifest(repository: string, name: ManifestName): Promise<void> {
    const found = this.#of(repository);
    if (!found) return;
    const key = `${repository}${"tag" in name ? `:${name.tag}` : `@${name.digest}`}`;
    await this.#turns.run(key, async () => {
      const here = this.#here(repository, name);
      if (here && "digest" in name) return this.#hit();
      try {
        const isFresh =
          this.#context.clock.now() - (this.#asked.get(key) ?? Number.NEGATIVE_INFINITY) < found.mirror.freshMs;
        if (here && isFresh) return this.#hit();
        await this.#update(repository, name, here, found);
        if (this.#asked.size > MOST_ASKED) this.#asked.clear();
        this.#asked.set(key, this.#context.clock.now());
      } catch (error) {
        if (!here || !isPassing(error)) throw asAnswer(error, name);
        this.#context.log.warn("upstream fails, the copy here is served", { repository, error });
        this.#hit();
      }
    });
  }

  /** A blob that is not here yet, as it comes; undefined: it is here, or the repository is not mirrored. */
  async blob(repository: string, digest: Digest): Promise<Download | undefined> {
    const found = this.#of(repository);
    if (!found) return undefined;
    const id = inRepository(repository, digest);
    const isHere = this.#context.store.view((tx) => tx.get(blobLinks, id) ?? tx.get(manifestRecords, id)) !== undefined;
    if (isHere) {
      this.#hit();
      return undefined;
    }
    const underWay = this.#downloads.get(id);
    if (underWay) return underWay;
    const size = await this.#sizeOf(repository, digest);
    // Only what a manifest here names; the rest of upstream is nobody's business here.
    if (size === undefined) return undefined;
    if (this.#context.content.info(digest)?.size === size) {
      await this.#link(repository, digest, size);
      return undefined;
    }
    return this.#downloads.get(id) ?? this.#fetch(id, repository, digest, size, found);
  }

  /** Upstream's tags; undefined: ask here. */
  async tags(repository: string): Promise<readonly string[] | undefined> {
    return this.#pass(repository, async ({ source }, path) => [...(await source.tags(path))].sort());
  }

  /** What refers to a manifest upstream; undefined: ask here. */
  async referrers(repository: string, digest: Digest): Promise<readonly Descriptor[] | undefined> {
    return this.#pass(repository, ({ source }, path) => source.referrers(path, digest));
  }

  async #pass<T>(repository: string, work: (mirror: Connected, path: string) => Promise<T>): Promise<T | undefined> {
    const found = this.#of(repository);
    if (!found) return undefined;
    try {
      return await work(found.mirror, found.path);
    } catch (error) {
      this.#context.log.warn("upstream fails, what is here is told", { repository, error });
      return undefined;
    }
  }

  async #update(
    repository: string,
    name: ManifestName,
    here: ManifestRecord | undefined,
    { mirror, path }: { readonly mirror: Connected; readonly path: string },
  ): Promise<void> {
    if (here && "tag" in name && (await mirror.source.digestOf(path, name.tag)) === here.digest) return this.#hit();
    this.misses++;
    const manifest = await mirror.source.manifest(path, "tag" in name ? name.tag : name.digest);
    if (!manifest) throw unknownManifest(name);
    await this.#manifests.put(repository, name, [], manifest.bytes, manifest.mediaType, ITSELF, true);
  }

  #fetch(
    id: string,
    repository: string,
    digest: Digest,
    size: number,
    { mirror, path }: { readonly mirror: Connected; readonly path: string },
  ): Download {
    this.misses++;
    const pin = this.#context.pins.pin(digest);
    const download = new Download(this.#context, digest, size, (offset) => mirror.source.blob(path, digest, offset));
    this.#downloads.set(id, download);
    download.done
      .then(() => this.#link(repository, digest, size))
      .catch(() => {}) // Told by the download itself.
      .finally(() => {
        this.#downloads.delete(id);
        pin[Symbol.dispose]();
      });
    return download;
  }

  async #link(repository: string, digest: Digest, size: number): Promise<void> {
    await this.#context.store.update((tx) => this.#blobs.adopt(tx, repository, digest, size), { durable: false });
  }

  /** As a manifest of the repository says. */
  async #sizeOf(repository: string, digest: Digest): Promise<number | undefined> {
    const [parent] = this.#context.store.view((tx) =>
      tx.find(manifestRecords, "part", inRepository(repository, digest)),
    );
    if (!parent) return undefined;
    const {
      config,
      layers = [],
      blobs = [],
    } = JSON.parse(Buffer.from(await this.#manifests.bytes(parent)).toString("utf8")) as {
      config?: Descriptor;
      layers?: readonly Descriptor[];
      blobs?: readonly Descriptor[];
    };
    return [...(config ? [config] : []), ...layers, ...blobs].find((one) => one.digest === digest)?.size;
  }

  #here(repository: string, name: ManifestName): ManifestRecord | undefined {
    try {
      return this.#manifests.find(repository, name);
    } catch {
      return undefined;
    }
  }

  #of(repository: string): { readonly mirror: Connected; readonly path: string } | undefined {
    for (const mirror of this.#mirrors) {
      if (mirror.prefix === "") return { mirror, path: repository };
      if (repository.startsWith(`${mirror.prefix}/`))
        return { mirror, path: repository.slice(mirror.prefix.length + 1) };
    }
    return undefined;
  }

  #hit(): void {
    this.hits++;
  }
}

export function asIndex(manifests: readonly Descriptor[]): Index {
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

/** Upstream may do better later: a copy will do until then. */
function isPassing(error: unknown): boolean {
  return ["unavailable", "resource-exhausted", "deadline-exceeded"].some((kind) => isHavreError(error, kind as never));
}

/** As this registry's clients are told it: they know nothing of upstream's sign-in. */
function asAnswer(error: unknown, name: ManifestName): unknown {
  if (error instanceof RegistryFault) return error;
  if (isHavreError(error, "unauthenticated") || isHavreError(error, "permission-denied")) return unknownManifest(name);
  if (isHavreError(error, "resource-exhausted"))
    return new RegistryFault("TOOMANYREQUESTS", error.message, { cause: error });
  return error;
}
