import type { Clock, Digest, Logger } from "../base/mod.ts";
import type { ContentStore } from "../content/mod.ts";
import type { Store, WriteTransaction } from "../store/mod.ts";

/** What a registry stands on. */
export interface RegistryContext {
  readonly store: Store;
  readonly content: ContentStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pins: Pins;
  readonly changes: ChangeSink;
}

/** Who did something, and from where. */
export interface Actor {
  /** undefined: nobody had to say. */
  readonly name?: string;
  /** Address of the client. */
  readonly remote: string;
  /** How the client called this registry. */
  readonly host: string;
  readonly method: string;
  /** The client's own name for itself. */
  readonly agent: string;
}

/** This registry itself: what its rules do. */
export const ITSELF: Actor = { name: "havre-registry", remote: "", host: "", method: "", agent: "" };

/** A manifest came, a tag was pointed, or one of them went. */
export interface RepositoryChange {
  readonly action: "push" | "delete";
  readonly repository: string;
  readonly digest: Digest;
  readonly mediaType?: string;
  /** Bytes. */
  readonly size?: number;
  readonly tag?: string;
  readonly actor: Actor;
}

/** Is told of each change within the transaction that makes it: both happen, or neither. */
export interface ChangeSink {
  changed(tx: WriteTransaction, change: RepositoryChange): void;
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
