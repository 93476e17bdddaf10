import type { Digest } from "../../base/mod.ts";
import type { Place } from "./recipe.ts";
import type { Chunk } from "./table.ts";

/** Chunks by name, of blobs that are in one place. */
export class KnownChunks {
  readonly #places = new Map<string, Place & { readonly length: number }>();

  /** Of the chunks that several blobs have, those of the first one count: neighbours then come from one blob. */
  add(digest: Digest, chunks: readonly Chunk[]): void {
    let offset = 0;
    for (const { length, name } of chunks) {
      if (!this.#places.has(name)) this.#places.set(name, { digest, offset, length });
      offset += length;
    }
  }

  find(name: string): (Place & { readonly length: number }) | undefined {
    return this.#places.get(name);
  }

  get isEmpty(): boolean {
    return this.#places.size === 0;
  }
}
