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
}
