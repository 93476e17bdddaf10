import { type Chunk, filePart, KnownChunks, readTable, SMALLEST_CHUNKED } from "../../content/mod.ts";
import type { Descriptor, Reference } from "../../spec/mod.ts";
import type { Context } from "../context.ts";
import { selectManifest } from "../pull/select.ts";
import type { RemoteRepository } from "../registry/remote-repository.ts";

/** Tags that are looked at beside the one that is pushed. */
const OTHER_TAGS = 3;
/** Of a repository: enough to find neighbours among. */
const MOST_TAGS = 1000;
const MOST_LAYERS = 64;

/**
 * What the repository that is pushed to has already, by the images that are most like the one that comes: the last one
 * of its tag, and those whose tags stand beside it. Only looked at when something is to be sent; whatever of it cannot
 * be read is sent whole.
 */
export class RemoteChunks {
  readonly #context: Context;
  readonly #repository: RemoteRepository;
  readonly #reference: Reference;
  #known: Promise<KnownChunks> | undefined;

  constructor(context: Context, repository: RemoteRepository, reference: Reference) {
    this.#context = context;
    this.#repository = repository;
    this.#reference = reference;
  }

  known(signal?: AbortSignal): Promise<KnownChunks> {
    this.#known ??= this.#look(signal);
    return this.#known;
  }

  async #look(signal?: AbortSignal): Promise<KnownChunks> {
    const known = new KnownChunks();
    const seen = new Set<string>();
    for (const tag of await this.#tags(signal)) {
      for (const layer of await orElse([], this.#layers(tag, signal), signal)) {
        if (seen.has(layer.digest) || layer.size < SMALLEST_CHUNKED || seen.size >= MOST_LAYERS) continue;
        seen.add(layer.digest);
        const chunks = await orElse(undefined, this.#table(layer, signal), signal);
        if (chunks) known.add(layer.digest, chunks);
      }
    }
    return known;
  }

  async #tags(signal?: AbortSignal): Promise<readonly string[]> {
    const { tag } = this.#reference;
    if (tag === undefined) return [];
    const all: string[] = [];
    const read = async () => {
      for await (const one of this.#repository.tags(signal)) if (all.push(one) >= MOST_TAGS) return;
    };
    await orElse(undefined, read(), signal);
    return [...(all.includes(tag) ? [tag] : []), ...neighbours(tag, all)];
  }

  async #layers(tag: string, signal?: AbortSignal): Promise<readonly Descriptor[]> {
    const top = await this.#repository.manifest(tag, signal);
    return (await selectManifest(this.#repository, top, this.#context.platform, signal)).manifest.layers;
  }

  #table({ digest, size }: Descriptor, signal?: AbortSignal): Promise<readonly Chunk[] | undefined> {
    const { content } = this.#context;
    if (content.has(digest)) return readTable(size, (start, end) => filePart(content.path(digest), start, end));
    return readTable(size, (start, end) => this.#repository.smallPart(digest, start, end, signal));
  }
}

/** Tags that stand next to one in order, those before it first: of versions that are the last ones. */
export function neighbours(tag: string, tags: readonly string[]): readonly string[] {
  const { compare } = new Intl.Collator("en", { numeric: true });
  const before = tags.filter((one) => compare(one, tag) < 0).sort((a, b) => compare(b, a));
  const after = tags.filter((one) => compare(one, tag) > 0).sort(compare);
  return [...before.slice(0, OTHER_TAGS), ...after].slice(0, OTHER_TAGS);
}

/** What cannot be had is done without, but for who gave up waiting. */
async function orElse<T>(otherwise: T, wanted: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  try {
    return await wanted;
  } catch {
    signal?.throwIfAborted();
    return otherwise;
  }
}
