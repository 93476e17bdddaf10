import type { Clock, Digest, Logger } from "../base/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import type { Store } from "../store/mod.ts";

/** What a registry stands on. */
export interface RegistryContext {
  readonly store: Store;
  readonly content: ContentStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pins: Pins;
}

/** Blobs that are about to be linked, or that a client has just been told are here: collection leaves them alone. */
export class Pins {
  readonly #counts = new Map<Digest, number>();

  has(digest: Digest): boolean {
    return this.#counts.has(digest);
  }

  /** Keeps a blob until disposed. */
  pin(digest: Digest): Disposable {
    this.#counts.set(digest, (this.#counts.get(digest) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const count = (this.#counts.get(digest) ?? 1) - 1;
        if (count > 0) this.#counts.set(digest, count);
        else this.#counts.delete(digest);
      },
    };
  }
}
