import { availableParallelism } from "node:os";
import { HavreError } from "../../base/mod.ts";
import { type Chunk, encodeTable, readFilePart, SMALLEST_CHUNKED } from "../../content/mod.ts";
import type { FromWorker, Member } from "./gzip-messages.ts";
import { piecesOf } from "./pieces.ts";

/** More would compress faster than any registry takes it. */
const MOST_WORKERS = 4;
/** Pieces for each worker that are read ahead: none waits while this thread is busy with something else. */
const AHEAD = 4;

interface Job {
  readonly piece: Uint8Array;
  readonly resolve: (member: Member) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Compresses on all cores, into gzip members that follow each other (RFC 1952, 2.2), one for each piece. The same bytes
 * give the same result, and a change of some changes few members: what is cut where is decided by the bytes there. A table
 * of the members ends what is worth sending in parts. Its workers are there only while there is something to compress.
 */
export class Gzip {
  readonly #workers = new Map<Worker, Job | undefined>();
  readonly #queue: Job[] = [];
  readonly #most = Math.min(availableParallelism(), MOST_WORKERS);
  #users = 0;

  /** The first `size` bytes of a file; `onBytes` is told how many are done. `data-loss` when the file is shorter. */
  file(path: string, size: number, onBytes: (current: number) => void): AsyncGenerator<Uint8Array> {
    return this.#compressed(piecesOf(readFilePart(path, 0, size)), onBytes);
  }

  /** What comes from `source`. */
  stream(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    return this.#compressed(piecesOf(source), () => {});
  }

  async *#compressed(
    pieces: AsyncIterable<Uint8Array>,
    onBytes: (current: number) => void,
  ): AsyncGenerator<Uint8Array> {
    const chunks: Chunk[] = [];
    let [plain, size] = [0, 0];
    for await (const { member, length } of this.#members(pieces)) {
      yield member.bytes;
      plain += length;
      size += member.bytes.byteLength;
      chunks.push({ length: member.bytes.byteLength, name: member.name });
      onBytes(plain);
    }
    if (size >= SMALLEST_CHUNKED) yield encodeTable(chunks);
  }

  async *#members(
    pieces: AsyncIterable<Uint8Array>,
  ): AsyncGenerator<{ readonly member: Member; readonly length: number }> {
    this.#users++;
    try {
      const ahead: { readonly member: Promise<Member>; readonly length: number }[] = [];
      const first = async () => {
        const { member, length } = ahead.shift() as (typeof ahead)[number];
        return { member: await member, length };
      };
      for await (const piece of pieces) {
        const length = piece.byteLength;
        const member = this.#compress(piece);
        member.catch(() => {}); // Thrown where it is awaited, if it still is.
        ahead.push({ member, length });
        if (ahead.length > AHEAD * this.#most) yield first();
      }
      while (ahead.length > 0) yield first();
    } finally {
      if (--this.#users === 0) this.#end();
    }
  }

  #compress(piece: Uint8Array): Promise<Member> {
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
      if ("bytes" in data) job?.resolve(data);
      else job?.reject(new HavreError("data-loss", `A layer cannot be compressed: ${data.failure}`));
    };
    worker.onerror = (event) => this.#lost(worker, event.message);
    worker.addEventListener("close", () => this.#lost(worker, "it ended"));
  }

  #next(worker: Worker): void {
    const job = this.#queue.shift();
    this.#workers.set(worker, job);
    if (!job) return;
    worker.postMessage(job.piece, [job.piece.buffer as ArrayBuffer]);
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

/** In the compiled program workers lie below its root by their path in `src`. */
function workerUrl(): URL {
  const compiled = import.meta.url.includes("/$bunfs/");
  return new URL(compiled ? "./images/push/gzip-worker.ts" : "./gzip-worker.ts", import.meta.url);
}
