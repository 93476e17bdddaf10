import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Clock, type Digest, errnoOf, joinAll } from "../../base/mod.ts";
import { fileSystemUsage } from "../../kernel/mod.ts";
import type { ReadTransaction, Store } from "../../store/mod.ts";
import type { CacheFolder, CacheFolders } from "../ops/cache-folders.ts";
import { type BuildRecord, buildRecordKind } from "./cache.ts";

/** Something that builds left for builds to come. */
export interface CacheEntry {
  /** A cache key, or the name of a cache folder. */
  readonly id: string;
  readonly kind: "step" | "folder";
  readonly description: string;
  /** Bytes of files. */
  readonly size: number;
  /** A build has it at work now. */
  readonly inUse: boolean;
  /** An image has the layer, too: forgetting the step frees nothing. */
  readonly shared: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly usedAt: number;
  readonly uses: number;
}

export interface CachePrune {
  /** Also what is shared with images. */
  readonly all: boolean;
  /** Only what was not used since, milliseconds since the epoch. */
  readonly until?: number;
  /** Only until no more than so many bytes are left. */
  readonly keep?: number;
  /** Only entries whose id begins so. */
  readonly ids?: readonly string[];
  readonly kinds?: readonly CacheEntry["kind"][];
}

export interface CacheHost {
  readonly store: Store;
  readonly folders: CacheFolders;
  readonly clock: Clock;
  /** The durable folder: its file system is what the cache takes its share of. */
  readonly root: string;
  /** Layers that images name. */
  imageLayers(tx: ReadTransaction): ReadonlySet<Digest>;
  /** Forgets contexts that clients sent, those not used since (milliseconds since the epoch), or all. */
  forgetContexts(before: number | undefined): void;
  /** Removes the layers that nothing needs any more; tells which. */
  collect(): Promise<{ readonly layers: readonly Digest[] }>;
}

/** The part of the disk that the cache may take before the oldest of it goes. */
const SHARE = 0.1;
/** Milliseconds after which something that nobody used goes. */
const FORGOTTEN_AFTER = 60 * 24 * 3600 * 1000;

/** Milliseconds between two looks at what the cache takes. */
const TIDY_EVERY = 60_000;

/** What builds left for builds to come: accounts for it, and removes of it what nothing uses, the longest unused first. */
export class BuildCache {
  readonly #host: CacheHost;
  #cleaning: Promise<unknown> | undefined;
  #cleanedAt = Number.NEGATIVE_INFINITY;

  constructor(host: CacheHost) {
    this.#host = host;
  }

  async list(): Promise<readonly CacheEntry[]> {
    const { store, folders } = this.#host;
    const [records, named] = store.view((tx) => [ownRecords(tx), this.#host.imageLayers(tx)] as const);
    return [
      ...records.map((record) => stepEntry(record, named)),
      ...(await joinAll(folders.list().map((one) => () => folderEntry(one)))),
    ];
  }

  /** Forgets steps and removes cache folders; what a build has at work stays. Returns what went and the bytes that are free now. */
  async prune(options: CachePrune): Promise<{ readonly removed: readonly CacheEntry[]; readonly reclaimed: number }> {
    const entries = await this.list();
    const candidates = entries
      .filter((entry) => fits(entry, options))
      .sort((a, b) => a.usedAt - b.usedAt || (a.id < b.id ? -1 : 1));
    let left = entries.filter(({ shared }) => !shared).reduce((sum, { size }) => sum + size, 0);
    const chosen = candidates.filter((entry) => {
      if (options.keep !== undefined && left <= options.keep) return false;
      left -= entry.shared ? 0 : entry.size;
      return true;
    });
    if (options.all && !options.kinds && !options.ids && options.keep === undefined)
      this.#host.forgetContexts(options.until);
    return this.#remove(chosen);
  }

  /**
   * Keeps the cache to its share of the disk, and drops what nobody has used for long. In the background, one at a time, and
   * not after every build.
   */
  async tidy(): Promise<unknown> {
    const now = this.#host.clock.now();
    if (now - this.#cleanedAt < TIDY_EVERY) return;
    this.#cleanedAt = now;
    this.#cleaning ??= this.#tidy().finally(() => {
      this.#cleaning = undefined;
    });
    return this.#cleaning;
  }

  async #tidy(): Promise<void> {
    const keep = Math.floor(fileSystemUsage(this.#host.root).total * SHARE);
    const total = (await this.list()).filter(({ shared }) => !shared).reduce((sum, entry) => sum + entry.size, 0);
    if (total > keep) await this.prune({ all: false, keep });
    await this.prune({ all: true, until: this.#host.clock.now() - FORGOTTEN_AFTER });
  }

  async #remove(chosen: readonly CacheEntry[]) {
    if (chosen.length === 0) return { removed: [], reclaimed: 0 };
    const { store, folders } = this.#host;
    const steps = new Map(chosen.filter(({ kind }) => kind === "step").map((entry) => [entry.id, entry]));
    const layers = await store.update((tx) => {
      const forgotten = tx.list(buildRecordKind).filter(({ id, sameAs }) => steps.has(id) || steps.has(sameAs ?? id));
      for (const { id } of forgotten) tx.delete(buildRecordKind, id);
      return new Map(forgotten.flatMap(({ layer }) => (layer ? [[layer.chainId, layer.size] as const] : [])));
    });
    const gone = chosen.filter(({ kind, id }) => kind === "step" || folders.remove(id));
    const collected = await this.#host.collect();
    const freed = collected.layers.reduce((sum, chainId) => sum + (layers.get(chainId) ?? 0), 0);
    const ofFolders = gone.filter(({ kind }) => kind === "folder").reduce((sum, { size }) => sum + size, 0);
    return { removed: gone, reclaimed: freed + ofFolders };
  }
}

/** Records of steps, each once. */
function ownRecords(tx: ReadTransaction): readonly BuildRecord[] {
  return tx.list(buildRecordKind).filter(({ sameAs }) => sameAs === undefined);
}

function stepEntry(record: BuildRecord, named: ReadonlySet<Digest>): CacheEntry {
  const { id, description, createdAt, usedAt, uses, layer } = record;
  const shared = layer !== undefined && named.has(layer.chainId);
  return { id, kind: "step", description, size: layer?.size ?? 0, inUse: false, shared, createdAt, usedAt, uses };
}

async function folderEntry({ name, id, path, inUse, createdAt, usedAt }: CacheFolder): Promise<CacheEntry> {
  const description = `cached mount ${id}`;
  const size = await sizeBelow(path);
  return { id: name, kind: "folder", description, size, inUse, shared: false, createdAt, usedAt, uses: 1 };
}

function fits(entry: CacheEntry, { all, until, ids, kinds }: CachePrune): boolean {
  if (entry.inUse || (entry.shared && !all)) return false;
  if (until !== undefined && entry.usedAt > until) return false;
  if (kinds && !kinds.includes(entry.kind)) return false;
  const bare = entry.id.replace(/^sha256:/, "");
  return ids === undefined || ids.some((id) => bare.startsWith(id.replace(/^sha256:/, "")));
}

/** Bytes of files as they are named; what goes away meanwhile is not counted. */
async function sizeBelow(folder: string): Promise<number> {
  let total = 0;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) total += await sizeBelow(path);
      else if (entry.isFile()) total += (await lstat(path)).size;
    }
  } catch (error) {
    if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ENOTDIR") throw error;
  }
  return total;
}
