import { HavreError } from "../../base/mod.ts";
import type { Job } from "./jobs.ts";
import { errorFrom, type FromWorker, type ToWorker } from "./messages.ts";
import { Runner } from "./runner.ts";
import type { WorkIo } from "./steps.ts";

/** A worker holds memory: one that nobody has needed for so long is ended. */
const IDLE_MS = 3000;
const GATHER = 512 * 1024;

interface Waiting {
  readonly io: WorkIo;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** What went wrong on this side. Told once the worker has let go of everything. */
  failure?: unknown;
}

/** In a worker thread, started when it is needed. */
export class WorkerRunner extends Runner {
  readonly #waiting = new Map<number, Waiting>();
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #nextId = 1;

  protected async execute(job: Job, io: WorkIo, signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted();
    const worker = this.#wake();
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, { io: gathered(io), resolve, reject });
    const onAbort = () => post(worker, { kind: "abort", id });
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      post(worker, { kind: "start", id, job });
      return await promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#rest(worker);
    }
  }

  /** Ends the worker; work under way is dropped. */
  close(): void {
    clearTimeout(this.#idle);
    this.#worker?.terminate();
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) {
      reject(new HavreError("cancelled", "The worker for file trees was ended"));
    }
  }

  #wake(): Worker {
    clearTimeout(this.#idle);
    if (this.#worker) {
      this.#worker.ref();
      return this.#worker;
    }
    const worker = new Worker(workerUrl());
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => void this.#on(worker, data);
    worker.onerror = (event) => this.#lost(worker, event.message);
    worker.addEventListener("close", () => this.#lost(worker, "it ended"));
    this.#worker = worker;
    return worker;
  }

  /** What it worked on has failed; the next job starts another worker. */
  #lost(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) {
      reject(new HavreError("internal", `The worker for file trees failed: ${why}`));
    }
  }

  #rest(worker: Worker): void {
    worker.unref();
    this.#idle = setTimeout(() => {
      if (this.#worker === worker) this.#worker = undefined;
      worker.terminate();
    }, IDLE_MS);
    this.#idle.unref();
  }

  async #on(worker: Worker, message: FromWorker): Promise<void> {
    const { id } = message;
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    try {
      if (message.kind === "want") post(worker, { kind: "chunk", id, bytes: await waiting.io.input() });
      else if (message.kind === "output") {
        await waiting.io.output(message.bytes);
        post(worker, { kind: "taken", id });
      } else if (message.kind === "done") {
        // Input that failed looks to the work like input that ended.
        if (waiting.failure === undefined) waiting.resolve(message.result);
        else waiting.reject(waiting.failure);
      } else waiting.reject(waiting.failure ?? errorFrom(message.failure));
    } catch (error) {
      waiting.failure ??= error;
      post(worker, { kind: "abort", id });
    }
  }
}

function post(worker: Worker, message: ToWorker): void {
  const transfer = message.kind === "chunk" && message.bytes ? [message.bytes.buffer as ArrayBuffer] : [];
  worker.postMessage(message, transfer);
}

/** Small chunks joined, and all copied into memory of their own: it changes hands, and the source may still use its own. */
function gathered(io: WorkIo): WorkIo {
  let last: Promise<Uint8Array | undefined> = Promise.resolve(new Uint8Array());
  let ended = false;
  const next = async (): Promise<Uint8Array | undefined> => {
    const parts: Uint8Array[] = [];
    let size = 0;
    while (!ended && size < GATHER) {
      const chunk = await io.input();
      if (!chunk) ended = true;
      else {
        parts.push(chunk);
        size += chunk.length;
      }
    }
    if (size === 0) return undefined;
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  };
  return {
    // Two chunks may be wanted at once: they are read one after the other.
    input: () => {
      last = last.then(next);
      return last;
    },
    output: io.output,
  };
}

/** In the compiled program workers lie below its root by their path in `src`. */
function workerUrl(): URL {
  const compiled = import.meta.url.includes("/$bunfs/");
  return new URL(compiled ? "./snapshots/work/tree-worker.ts" : "./tree-worker.ts", import.meta.url);
}
