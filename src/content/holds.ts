import type { Digest } from "../base/mod.ts";

/** Which blobs are kept from collection, by whoever is in the middle of using them. */
export class Holds {
  readonly #active = new Set<Set<Digest>>();

  take(): Disposable {
    const held = new Set<Digest>();
    this.#active.add(held);
    return { [Symbol.dispose]: () => void this.#active.delete(held) };
  }

  add(digest: Digest): void {
    for (const held of this.#active) held.add(digest);
  }

  has(digest: Digest): boolean {
    for (const held of this.#active) if (held.has(digest)) return true;
    return false;
  }
}
