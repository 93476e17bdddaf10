import { type Digest, deferred, HavreError } from "../../base/mod.ts";
import type { Descriptor } from "../../spec/mod.ts";
import type { ClientBlobs } from "../cache/folder-cache.ts";
import type { NativeListener } from "./native-builds.ts";

interface Arrival {
  /** undefined: the client does not have it. */
  readonly bytes: AsyncIterable<Uint8Array> | undefined;
  /** To be called when it was read, or is not wanted any more. */
  over(): void;
}

/** Files that builds wait for: each was asked for in the answer of a build and comes in a request of its own. */
export class Arrivals {
  readonly #awaited = new Map<string, (arrival: Arrival) => void>();
  readonly #newId: () => string;

  constructor(newId: () => string) {
    this.#newId = newId;
  }

  /** `ask` is told the id that the file is to come by. */
  async *read(ask: (id: string) => void, name: string, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const id = this.#newId();
    const arrived = deferred<Arrival>();
    this.#awaited.set(id, arrived.resolve);
    try {
      using stop = new DisposableStack();
      const abort = () => arrived.reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      stop.defer(() => signal.removeEventListener("abort", abort));
      signal.throwIfAborted();
      ask(id);
      const { bytes, over } = await arrived.promise;
      try {
        if (!bytes) throw new HavreError("not-found", `${name}: not found`);
        yield* bytes;
      } finally {
        over();
      }
    } finally {
      this.#awaited.delete(id);
    }
  }

  /** Resolves when the file was read. `not-found` when nobody waits for it. */
  async give(id: string, bytes: AsyncIterable<Uint8Array> | undefined): Promise<void> {
    const take = this.#awaited.get(id);
    if (!take) throw new HavreError("not-found", `No build waits for the file ${id}`);
    this.#awaited.delete(id);
    const over = deferred<void>();
    take({ bytes, over: over.resolve });
    await over.promise;
  }
}

/** The files of a folder of `havre build`'s. `here`: digests of those it has. */
export class FolderBlobs implements ClientBlobs {
  readonly #folder: string;
  readonly #here: ReadonlySet<string>;
  readonly #arrivals: Arrivals;
  readonly #listener: NativeListener;

  constructor(folder: string, here: ReadonlySet<string>, arrivals: Arrivals, listener: NativeListener) {
    this.#folder = folder;
    this.#here = here;
    this.#arrivals = arrivals;
    this.#listener = listener;
  }

  async has(digest: Digest): Promise<boolean> {
    return this.#here.has(digest);
  }

  read(digest: Digest, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const folder = this.#folder;
    const ask = (id: string) => this.#listener.line({ kind: "wanted", id, folder, digest });
    return this.#arrivals.read(ask, `${folder}: ${digest}`, signal);
  }

  async write(
    { digest, size }: Descriptor,
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void> {
    this.#listener.line({ kind: "blob", folder: this.#folder, digest, size });
    for await (const piece of bytes) {
      signal.throwIfAborted();
      await this.#listener.blob(piece);
    }
  }
}
