/** Entry point of the worker that works on trees: slow system calls and digests happen here, the daemon goes on answering. */
import { AsyncQueue } from "../../base/mod.ts";
import { workFor } from "./jobs.ts";
import { type FromWorker, failureOf, type ToWorker } from "./messages.ts";
import { drive } from "./steps.ts";

interface Running {
  readonly abort: AbortController;
  readonly chunks: AsyncQueue<Uint8Array | undefined>;
  readonly taken: AsyncQueue<void>;
}

/** Chunks on their way in or out while one is worked on. */
const AHEAD = 2;

declare const self: Worker;

function serve(): void {
  const running = new Map<number, Running>();
  const send = (message: FromWorker, transfer: ArrayBuffer[] = []) => self.postMessage(message, transfer);

  const start = async (id: number, message: Extract<ToWorker, { kind: "start" }>): Promise<void> => {
    const state: Running = { abort: new AbortController(), chunks: new AsyncQueue(), taken: new AsyncQueue() };
    running.set(id, state);
    const chunks = state.chunks[Symbol.asyncIterator]();
    const taken = state.taken[Symbol.asyncIterator]();
    let wanted = 0;
    let untaken = 0;
    const io = {
      input: async () => {
        for (; wanted < AHEAD; wanted++) send({ kind: "want", id });
        const { value } = await chunks.next();
        wanted--;
        return value ?? undefined;
      },
      output: async (bytes: Uint8Array) => {
        const whole = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice();
        send({ kind: "output", id, bytes: whole }, [whole.buffer as ArrayBuffer]);
        if (++untaken < AHEAD) return;
        await taken.next();
        untaken--;
      },
    };
    try {
      send({ kind: "done", id, result: await drive(workFor(message.job), io, state.abort.signal) });
    } catch (error) {
      send({ kind: "failed", id, failure: failureOf(error) });
    } finally {
      running.delete(id);
    }
  };

  self.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
    if (message.kind === "start") {
      void start(message.id, message);
      return;
    }
    const state = running.get(message.id);
    if (message.kind === "chunk") state?.chunks.push(message.bytes);
    else if (message.kind === "taken") state?.taken.push();
    else {
      state?.abort.abort();
      // Whatever it waits for: it wakes up and sees the abort.
      state?.chunks.push(undefined);
      state?.taken.push();
    }
  };
}

serve();
