import { HavreError } from "./errors.ts";

interface Work<T, E> {
  readonly result: Promise<T>;
  readonly control: AbortController;
  readonly listeners: Set<(event: E) => void>;
  readonly past: E[];
}

/**
 * Work that several want at once is done once. What it tells reaches all of them; those who come later hear the past
 * first where it `replays`. It is stopped when the last of them leaves.
 */
export class SharedWork<T, E> {
  readonly #running = new Map<string, Work<T, E>>();
  readonly #replays: boolean;

  constructor(options: { readonly replays: boolean }) {
    this.#replays = options.replays;
  }

  /** `cancelled` when `signal` is aborted; who leaves last waits until the work has stopped. */
  async run(
    key: string,
    start: (tell: (event: E) => void, signal: AbortSignal) => Promise<T>,
    listen: (event: E) => void,
    signal?: AbortSignal,
  ): Promise<T> {
    signal?.throwIfAborted();
    const work = this.#running.get(key) ?? this.#start(key, start);
    for (const event of work.past) listen(event);
    // One function may listen more than once.
    const listener = (event: E) => listen(event);
    work.listeners.add(listener);
    const { promise: left, reject: leave } = Promise.withResolvers<never>();
    const onAbort = () => {
      work.listeners.delete(listener);
      if (work.listeners.size > 0) {
        leave(signal?.reason);
        return;
      }
      // Nobody may join work that is being stopped.
      if (this.#running.get(key) === work) this.#running.delete(key);
      work.control.abort(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    left.catch(() => {});
    try {
      return await Promise.race([work.result, left]);
    } catch (error) {
      if (signal?.aborted) throw new HavreError("cancelled", "The work was cancelled", { cause: error });
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      work.listeners.delete(listener);
    }
  }

  #start(key: string, start: (tell: (event: E) => void, signal: AbortSignal) => Promise<T>): Work<T, E> {
    const control = new AbortController();
    const listeners = new Set<(event: E) => void>();
    const past: E[] = [];
    const tell = (event: E) => {
      if (this.#replays) past.push(event);
      for (const listener of listeners) listener(event);
    };
    // Begins after the first one listens.
    const result = Promise.resolve()
      .then(() => start(tell, control.signal))
      .finally(() => {
        if (this.#running.get(key) === work) this.#running.delete(key);
      });
    result.catch(() => {});
    const work: Work<T, E> = { result, control, listeners, past };
    this.#running.set(key, work);
    return work;
  }
}
