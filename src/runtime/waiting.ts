import type { Clock } from "../base/mod.ts";

/** For the short whiles between a kill and its effect, which nothing announces. */
export async function until(clock: Clock, condition: () => boolean): Promise<void> {
  for (let wait = 1; !condition(); wait = Math.min(wait * 2, 1000)) await clock.sleep(wait);
}

/** Waits for a promise, but not longer than `ms`. */
export async function settledWithin(clock: Clock, ms: number, promise: Promise<unknown> | undefined): Promise<void> {
  if (promise === undefined) return;
  const waiting = new AbortController();
  const late = clock.sleep(ms, waiting.signal).catch(() => {});
  await Promise.race([promise, late]);
  waiting.abort();
}
