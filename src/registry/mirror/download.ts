import { type FileHandle, open } from "node:fs/promises";
import { type Digest, isHavreError } from "../../base/mod.ts";
import type { Ingest } from "../../content/mod.ts";
import type { RegistryContext } from "../context.ts";
import type { Upstream } from "./upstream.ts";

const ATTEMPTS = 5;
const FIRST_PAUSE_MS = 500;
/** How much may wait in memory before readers are shown it. */
const SHOW_EVERY = 256 * 1024;
const READ_CHUNK = 256 * 1024;

/** A blob on its way from upstream, which any number of clients read while it comes. */
export class Download {
  readonly size: number;
  /** Settles when the blob is here and verified, or cannot be had. */
  readonly done: Promise<void>;
  readonly #context: RegistryContext;
  readonly #fetch: (offset: number) => ReturnType<Upstream["blob"]>;
  readonly #digest: Digest;
  #opened = Promise.withResolvers<string>();
  #grown = Promise.withResolvers<void>();
  #readable = 0;
  #isDone = false;

  constructor(
    context: RegistryContext,
    digest: Digest,
    size: number,
    fetch: (offset: number) => ReturnType<Upstream["blob"]>,
  ) {
    this.#context = context;
    this.#digest = digest;
    this.size = size;
    this.#fetch = fetch;
    this.#opened.promise.catch(() => {});
    this.#grown.promise.catch(() => {});
    this.done = this.#run();
    // Whoever waits is told; when nobody waits, the log has it.
    this.done.catch((error) => context.log.warn("blob not fetched from upstream", { digest, error }));
  }

  /** Bytes `start` to before `end` as they come. The last are held back until the whole is verified. */
  async *read(start: number, end: number): AsyncGenerator<Uint8Array> {
    const file = await open(await this.#opened.promise, "r");
    try {
      for (let at = start; at < end; ) {
        const chunk = await this.#readAt(file, at, end);
        if (at + chunk.length >= end) await this.done;
        at += chunk.length;
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  async #readAt(file: FileHandle, at: number, end: number): Promise<Uint8Array> {
    while (this.#readable <= at && !this.#isDone) await this.#grown.promise;
    const length = Math.min(READ_CHUNK, end - at, Math.max(1, this.#readable - at));
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at);
    if (bytesRead === 0) await this.done; // It ended early: say why.
    return buffer.subarray(0, bytesRead);
  }

  async #run(): Promise<void> {
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          await this.#attempt();
          break;
        } catch (error) {
          if (attempt >= ATTEMPTS || !isHavreError(error, "unavailable")) throw error;
          await this.#context.clock.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1));
        }
      }
      this.#isDone = true;
      this.#grown.resolve();
    } catch (error) {
      this.#opened.reject(error);
      this.#grown.reject(error);
      throw error;
    }
  }

  async #attempt(): Promise<void> {
    await using ingest = await this.#context.content.resume(`mirror/${this.#digest}`);
    this.#opened.resolve(ingest.path);
    this.#show(ingest);
    const { offset, body } = await this.#fetch(ingest.offset);
    let skip = ingest.offset - offset;
    let unseen = 0;
    for await (const chunk of body) {
      const fresh = chunk.subarray(Math.min(skip, chunk.length));
      skip -= chunk.length - fresh.length;
      if (fresh.length === 0) continue;
      await ingest.write(fresh);
      unseen += fresh.length;
      if (unseen < SHOW_EVERY) continue;
      await ingest.flush();
      this.#show(ingest);
      unseen = 0;
    }
    await ingest.flush();
    this.#show(ingest);
    await ingest.commit({ digest: this.#digest, size: this.size });
  }

  #show({ offset }: Ingest): void {
    this.#readable = offset;
    const grown = this.#grown;
    this.#grown = Promise.withResolvers<void>();
    this.#grown.promise.catch(() => {});
    grown.resolve();
  }
}
