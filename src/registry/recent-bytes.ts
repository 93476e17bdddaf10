import type { Digest } from "../base/mod.ts";

/** Bytes read lately, at most `limit` of them; what was not asked for the longest goes first. */
export class RecentBytes {
  readonly #limit: number;
  readonly #entries = new Map<Digest, Uint8Array>();
  #size = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(digest: Digest): Uint8Array | undefined {
    const bytes = this.#entries.get(digest);
    if (!bytes) return undefined;
    this.#entries.delete(digest);
    this.#entries.set(digest, bytes);
    return bytes;
  }

  set(digest: Digest, bytes: Uint8Array): void {
    if (this.#entries.has(digest) || bytes.length > this.#limit) return;
    this.#entries.set(digest, bytes);
    this.#size += bytes.length;
    for (const [oldest, { length }] of this.#entries) {
      if (this.#size <= this.#limit) return;
      this.#entries.delete(oldest);
      this.#size -= length;
    }
  }
}
