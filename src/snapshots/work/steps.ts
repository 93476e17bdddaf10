/**
 * Work on trees is written as generators of steps, so that the same code runs in a worker or here and can be paused,
 * fed, drained and dropped between any two steps.
 */
export type Step =
  /** Wants the next chunk of input; `next(undefined)` means that there is no more. */
  | { readonly kind: "input" }
  | { readonly kind: "output"; readonly bytes: Uint8Array }
  /** A good moment for others to run. */
  | { readonly kind: "pause" };

export type Work<T> = Generator<Step, T, Uint8Array | undefined>;

export const INPUT: Step = { kind: "input" };
export const PAUSE: Step = { kind: "pause" };
export const output = (bytes: Uint8Array): Step => ({ kind: "output", bytes });

export interface WorkIo {
  /** The next chunk of input, undefined at its end. */
  input(): Promise<Uint8Array | undefined>;
  /** Resolves when more output is welcome. */
  output(bytes: Uint8Array): Promise<void>;
}

const SLICE_MS = 4;

/** Runs work to its end, giving way to the event loop every few milliseconds. On abort the work is dropped, its clean-up done. */
export async function drive<T>(work: Work<T>, io: WorkIo, signal?: AbortSignal): Promise<T> {
  let sliceEnd = performance.now() + SLICE_MS;
  try {
    let state = work.next(undefined);
    while (!state.done) {
      if (performance.now() > sliceEnd) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceEnd = performance.now() + SLICE_MS;
      }
      signal?.throwIfAborted();
      const step = state.value;
      if (step.kind === "input") {
        const chunk = await io.input();
        // Input that was given up must not look like input that ended.
        signal?.throwIfAborted();
        state = work.next(chunk);
      } else {
        if (step.kind === "output") await io.output(step.bytes);
        state = work.next(undefined);
      }
    }
    return state.value;
  } finally {
    work.return(undefined as T);
  }
}
