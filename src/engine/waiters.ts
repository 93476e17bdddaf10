import type { WaitCondition, WaitResult } from "./engine.ts";

interface Waiter {
  readonly condition: WaitCondition;
  readonly resolve: (result: WaitResult) => void;
}

/** Who waits for the end of which container. */
export class Waiters {
  readonly #waiting = new Map<string, Set<Waiter>>();

  /** A promise for the next time `condition` comes true; aborting the signal forgets it (the promise then never settles). */
  next(id: string, condition: WaitCondition, signal?: AbortSignal): Promise<WaitResult> {
    return new Promise((resolve) => {
      if (signal?.aborted) return;
      const waiter: Waiter = { condition, resolve };
      let waiters = this.#waiting.get(id);
      if (!waiters) {
        waiters = new Set();
        this.#waiting.set(id, waiters);
      }
      waiters.add(waiter);
      signal?.addEventListener("abort", () => this.#forget(id, waiter), { once: true });
    });
  }

  /** The container's process ended. */
  exited(id: string, result: WaitResult): void {
    this.#settle(id, result, (condition) => condition !== "removed");
  }

  /** The container is gone: nobody waits longer. */
  removed(id: string, result: WaitResult): void {
    this.#settle(id, result, () => true);
  }

  #settle(id: string, result: WaitResult, fits: (condition: WaitCondition) => boolean): void {
    for (const waiter of this.#waiting.get(id) ?? []) {
      if (!fits(waiter.condition)) continue;
      this.#forget(id, waiter);
      waiter.resolve(result);
    }
  }

  #forget(id: string, waiter: Waiter): void {
    const waiters = this.#waiting.get(id);
    waiters?.delete(waiter);
    if (waiters?.size === 0) this.#waiting.delete(id);
  }
}
