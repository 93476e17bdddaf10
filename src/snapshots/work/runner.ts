import { AsyncQueue, abortable } from "../../base/mod.ts";
import { type Job, type JobKind, type Jobs, workFor } from "./jobs.ts";
import { drive, type WorkIo } from "./steps.ts";

/** Chunks that may wait for a slow reader. */
const MOST_WAITING = 4;

/** Runs work on trees; where is for its kinds to say. */
export abstract class Runner {
  protected abstract execute(job: Job, io: WorkIo, signal: AbortSignal | undefined): Promise<unknown>;

  /** What the job returns. `input` is read as far as the job wants it, then closed. */
  async run<K extends JobKind>(
    job: Jobs[K]["job"] & { readonly kind: K },
    input?: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<Jobs[K]["result"]> {
    const chunks = input && abortable(input, signal)[Symbol.asyncIterator]();
    const io: WorkIo = {
      input: async () => {
        const item = await chunks?.next();
        return item?.done ? undefined : item?.value;
      },
      output: async () => {},
    };
    try {
      return (await this.execute(job as Job, io, signal)) as Jobs[K]["result"];
    } finally {
      // Not awaited: the source may be silent in the middle of a chunk that nobody waits for any more.
      chunks?.return?.(undefined).catch(() => {});
    }
  }

  /** The bytes that a job puts out. Dropped when the reader stops. */
  async *stream(job: Job, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const queue = new AsyncQueue<Uint8Array>();
    let room = Promise.withResolvers<void>();
    const stop = new AbortController();
    const io: WorkIo = {
      input: async () => undefined,
      output: async (bytes) => {
        queue.push(bytes);
        if (queue.size < MOST_WAITING) return;
        room = Promise.withResolvers();
        await room.promise;
      },
    };
    const done = this.execute(job, io, signal ? AbortSignal.any([signal, stop.signal]) : stop.signal).then(
      () => queue.close(),
      (error: unknown) => queue.fail(error),
    );
    try {
      for await (const bytes of queue) {
        room.resolve();
        yield bytes;
      }
    } finally {
      stop.abort();
      room.resolve();
      // Whatever the work held open is closed when the reader goes on.
      await done;
    }
  }
}

/** Here, in slices. */
export class LocalRunner extends Runner {
  protected execute(job: Job, io: WorkIo, signal: AbortSignal | undefined): Promise<unknown> {
    return drive(workFor(job), io, signal);
  }
}
