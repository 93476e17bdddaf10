import { availableParallelism } from "node:os";
import { HavreError } from "../../base/mod.ts";
import type { FromWorker, Piece } from "./gzip-messages.ts";

const PIECE = 1 << 20;
/** More would compress faster than any registry takes it. */
const MOST_WORKERS = 4;

interface Job {
  readonly piece: Piece;
  readonly resolve: (bytes: Uint8Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Compresses on all cores, into gzip members that follow each other (RFC 1952, 2.2), one for each piece. The same bytes
 * give the same result. Its workers are there only while there is something to compress.
 */
export class Gzip {
  readonly #workers = new Map<Worker, Job | undefined>();
  readonly #queue: Job[] = [];
  readonly #most = Math.min(availableParallelism(), MOST_WORKERS);
  #users = 0;

  /** The first `size` bytes of a file; `onBytes` is told how many are done. `data-loss` when the file is shorter. */
  async *file(path: string, size: number, onBytes: (current: number) => void): AsyncGenerator<Uint8Array> {
    let done = 0;
    for await (const member of this.#members(piecesOf(path, size))) {
      yield member;
      done = Math.min(done + PIECE, size);
      onBytes(done);
    }
  }

  /** What comes from `source`. */
  stream(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    return this.#members(gathered(source));
  }

  async *#members(pieces: Iterable<Piece> | AsyncIterable<Piece>): AsyncGenerator<Uint8Array> {
    this.#users++;
    try {
      const ahead: Promise<Uint8Array>[] = [];
      for await (const piece of pieces) {
        const compressed = this.#compress(piece);
        compressed.catch(() => {}); // Thrown where it is awaited, if it still is.
        ahead.push(compressed);
        if (ahead.length > this.#most) yield (await ahead.shift()) as Uint8Array;
      }
      for (const compressed of ahead) yield await compressed;
    } finally {
      if (--this.#users === 0) this.#end();
    }
  }

  #compress(piece: Piece): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ piece, resolve, reject });
      if (this.#workers.size < this.#most) this.#add();
      for (const [worker, job] of this.#workers) if (!job) this.#next(worker);
    });
  }

  #add(): void {
    const worker = new Worker(workerUrl());
    this.#workers.set(worker, undefined);
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (!this.#workers.has(worker)) return; // What was still under way when the last reader left.
      const job = this.#workers.get(worker);
      this.#next(worker);
      if ("bytes" in data) job?.resolve(data.bytes);
      else job?.reject(new HavreError("data-loss", `A layer cannot be compressed: ${data.failure}`));
    };
    worker.onerror = (event) => this.#lost(worker, event.message);
    worker.addEventListener("close", () => this.#lost(worker, "it ended"));
  }

  #next(worker: Worker): void {
    const job = this.#queue.shift();
    this.#workers.set(worker, job);
    if (!job) return;
    const { piece } = job;
    worker.postMessage(piece, piece instanceof Uint8Array ? [piece.buffer as ArrayBuffer] : []);
  }

  #lost(worker: Worker, why: string): void {
    if (!this.#workers.has(worker)) return;
    const jobs = [this.#workers.get(worker), ...this.#queue.splice(0)];
    this.#workers.delete(worker);
    const error = new HavreError("internal", `The worker that compresses layers failed: ${why}`);
    for (const job of jobs) job?.reject(error);
  }

  /** Whoever still waited has given up. */
  #end(): void {
    this.#queue.length = 0;
    for (const worker of this.#workers.keys()) worker.terminate();
    this.#workers.clear();
  }
}

/** An empty file has one piece too: nothing at all is no gzip file. */
function* piecesOf(path: string, size: number): Generator<Piece> {
  let offset = 0;
  do {
    yield { path, offset, length: Math.min(PIECE, size - offset) };
    offset += PIECE;
  } while (offset < size);
}

/** The same pieces of bytes that come in others, in memory of their own: it changes hands. */
async function* gathered(source: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  let piece = new Uint8Array(PIECE);
  let size = 0;
  let given = false;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + PIECE - size);
      piece.set(part, size);
      at += part.byteLength;
      size += part.byteLength;
      if (size < PIECE) continue;
      yield piece;
      given = true;
      piece = new Uint8Array(PIECE);
      size = 0;
    }
  }
  if (size > 0 || !given) yield piece.slice(0, size);
}

/** In the compiled program workers lie below its root by their path in `src`. */
function workerUrl(): URL {
  const compiled = import.meta.url.includes("/$bunfs/");
  return new URL(compiled ? "./images/push/gzip-worker.ts" : "./gzip-worker.ts", import.meta.url);
}
