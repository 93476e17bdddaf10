import type { Job, JobKind, Jobs } from "./jobs.ts";
import { workFor } from "./jobs.ts";
import { drive } from "./steps.ts";

/** Runs work on trees, here and in slices. */
export class TreeRunner {
  async run<K extends JobKind>(
    job: Jobs[K]["job"] & { readonly kind: K },
    input?: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<Jobs[K]["result"]> {
    const chunks = input?.[Symbol.asyncIterator]();
    try {
      const io = {
        input: async () => {
          const item = await chunks?.next();
          return item?.done ? undefined : item?.value;
        },
        output: async () => {},
      };
      return (await drive(workFor(job as Job), io, signal)) as Jobs[K]["result"];
    } catch (error) {
      await chunks?.return?.();
      throw error;
    }
  }

  /** The bytes that a job puts out. Dropped when the reader stops. */
  async *stream(job: Job, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
    const queue: Uint8Array[] = [];
    let wake = Promise.withResolvers<void>();
    let room = Promise.withResolvers<void>();
    let ended = false;
    const stop = new AbortController();
    const io = {
      input: async () => undefined,
      output: async (bytes: Uint8Array) => {
        queue.push(bytes);
        wake.resolve();
        if (queue.length >= 4) {
          room = Promise.withResolvers();
          await room.promise;
        }
      },
    };
    const signals = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal;
    const done = drive(workFor(job), io, signals).finally(() => {
      ended = true;
      wake.resolve();
    });
    done.catch(() => {});
    try {
      for (;;) {
        for (let bytes = queue.shift(); bytes; bytes = queue.shift()) {
          room.resolve();
          yield bytes;
        }
        if (ended) break;
        wake = Promise.withResolvers();
        await wake.promise;
      }
      await done;
    } finally {
      stop.abort();
      room.resolve();
      // Whatever the work held open is closed when the reader goes on.
      await done.catch(() => {});
    }
  }
}
