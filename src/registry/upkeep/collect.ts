import type { Digest } from "../../base/mod.ts";
import type { RegistryContext } from "../context.ts";
import { blobLinks, inRepository, manifestRecords } from "../objects.ts";

/** A blob that no manifest names is left alone for so long: its client may be about to push the manifest. */
const GRACE_MS = 60 * 60_000;
/** How many are looked at before others get a turn. */
const SLICE = 200;

export interface CollectOptions {
  /** Only tells what would go. */
  readonly dryRun: boolean;
  /** Milliseconds; default an hour. */
  readonly graceMs?: number;
}

export interface CollectProgress {
  readonly phase: "repositories" | "content";
  readonly looked: number;
  /** What there was to look at when the phase began. */
  readonly total: number;
  readonly removed: number;
  /** Bytes. */
  readonly freed: number;
}

/**
 * Removes what nobody needs, while others push and pull: first blobs of repositories that no manifest there names, then
 * files that no repository has. Each look and its removal are one step that nothing comes between; between steps all
 * else goes on. Yields how far it is, every slice, and once at the end of each phase.
 */
export async function* collect(
  context: RegistryContext,
  { dryRun, graceMs = GRACE_MS }: CollectOptions,
): AsyncGenerator<CollectProgress> {
  const unlinked = new Set<string>();
  yield* unlink(context, dryRun, context.clock.now() - graceMs, unlinked);
  yield* sweep(context, dryRun, unlinked);
}

async function* unlink(
  { store, pins }: RegistryContext,
  dryRun: boolean,
  before: number,
  unlinked: Set<string>,
): AsyncGenerator<CollectProgress> {
  const ids = store.view((tx) => tx.list(blobLinks).map(({ id }) => id));
  let removed = 0;
  for (let first = 0; first < ids.length; first += SLICE) {
    const slice = ids.slice(first, first + SLICE);
    const old = store.view((tx) =>
      slice.filter((id) => {
        const link = tx.get(blobLinks, id);
        return (
          link && link.since < before && !pins.has(link.digest) && tx.find(manifestRecords, "part", id).length === 0
        );
      }),
    );
    if (old.length > 0 && !dryRun) {
      // Not synced each time: what comes back after a power cut is collected again.
      await store.update(
        (tx) => {
          for (const id of old) if (tx.find(manifestRecords, "part", id).length === 0) tx.delete(blobLinks, id);
        },
        { durable: false },
      );
    }
    for (const id of old) unlinked.add(id);
    removed += old.length;
    yield { phase: "repositories", looked: first + slice.length, total: ids.length, removed, freed: 0 };
    await turn();
  }
  // Links must be gone for good before their files are: a link without its file would be a lie.
  if (removed > 0 && !dryRun) await store.sync();
  yield { phase: "repositories", looked: ids.length, total: ids.length, removed, freed: 0 };
}

async function* sweep(
  { store, content, pins }: RegistryContext,
  dryRun: boolean,
  unlinked: ReadonlySet<string>,
): AsyncGenerator<CollectProgress> {
  const total = store.view(
    (tx) => new Set([...tx.list(blobLinks), ...tx.list(manifestRecords)].map(({ digest }) => digest)).size,
  );
  let [looked, removed, freed] = [0, 0, 0];
  const isNeeded = (digest: Digest) =>
    pins.has(digest) ||
    store.view(
      (tx) =>
        tx.find(manifestRecords, "digest", digest).length > 0 ||
        tx
          .find(blobLinks, "digest", digest)
          .some(({ repository }) => !unlinked.has(inRepository(repository, digest)) || !dryRun),
    );
  for (const { digest, size } of content.list()) {
    if (!isNeeded(digest)) {
      if (!dryRun) content.delete(digest);
      removed++;
      freed += size;
    }
    if (++looked % SLICE === 0) {
      yield { phase: "content", looked, total: Math.max(total, looked), removed, freed };
      await turn();
    }
  }
  yield { phase: "content", looked, total: looked, removed, freed };
}

/** Lets requests that wait be served. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
