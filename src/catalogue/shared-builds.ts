import type { OnProgress } from "../images/mod.ts";

interface SharedBuild<T> {
  readonly done: Promise<T>;
  readonly control: AbortController;
  readonly listeners: Set<OnProgress>;
}

/** Work that several want at once and that is done once; it stops when all of them have gone. */
export class SharedBuilds<T> {
  readonly #running = new Map<string, SharedBuild<T>>();

  async run(
    key: string,
    progress: OnProgress,
    signal: AbortSignal | undefined,
    work: (progress: OnProgress, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal?.throwIfAborted();
    const build = this.#running.get(key) ?? this.#begin(key, work);
    build.listeners.add(progress);
    const { promise: left, reject } = Promise.withResolvers<never>();
    const leave = () => reject(signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await Promise.race([build.done, left]);
    } finally {
      signal?.removeEventListener("abort", leave);
      build.listeners.delete(progress);
      if (build.listeners.size === 0) {
        if (this.#running.get(key) === build) this.#running.delete(key);
        build.control.abort();
      }
    }
  }

  #begin(key: string, work: (progress: OnProgress, signal: AbortSignal) => Promise<T>): SharedBuild<T> {
    const control = new AbortController();
    const listeners = new Set<OnProgress>();
    const tell: OnProgress = (message) => {
      for (const listener of listeners) listener(message);
    };
    const done = work(tell, control.signal).finally(() => {
      if (this.#running.get(key) === build) this.#running.delete(key);
    });
    done.catch(() => {}); // Everyone who wanted it may have left.
    const build = { done, control, listeners };
    this.#running.set(key, build);
    return build;
  }
}
