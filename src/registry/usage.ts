import type { Store } from "../store/mod.ts";
import { type BlobLink, blobLinks, type ManifestRecord, manifestRecords } from "./objects.ts";

/** Bytes of each repository: its blobs and manifests, each once. What several repositories have counts in each. */
export class Usage {
  readonly #bytes = new Map<string, number>();

  constructor(store: Store) {
    store.view((tx) => {
      for (const one of [...tx.list(blobLinks), ...tx.list(manifestRecords)]) this.#add(one, 1);
    });
    for (const kind of [blobLinks, manifestRecords] as const) {
      store.watch<BlobLink | ManifestRecord>(kind as never, ({ before, after }) => {
        if (before) this.#add(before, -1);
        if (after) this.#add(after, 1);
      });
    }
  }

  of(repository: string): number {
    return this.#bytes.get(repository) ?? 0;
  }

  /** Of all repositories for which `fits`. */
  total(fits: (repository: string) => boolean): number {
    let sum = 0;
    for (const [repository, bytes] of this.#bytes) if (fits(repository)) sum += bytes;
    return sum;
  }

  #add({ repository, size }: BlobLink | ManifestRecord, sign: 1 | -1): void {
    const bytes = (this.#bytes.get(repository) ?? 0) + sign * size;
    if (bytes === 0) this.#bytes.delete(repository);
    else this.#bytes.set(repository, bytes);
  }
}
