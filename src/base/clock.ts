/** Time as the engine sees it; passed in wherever a decision depends on it. */
export interface Clock {
  /** Milliseconds since the Unix epoch, fractional. */
  now(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Milliseconds by which the fine clock may be off before it is set again. */
const TOLERANCE = 2;

/**
 * The wall clock to fractions of a millisecond. The runtime's fine clock goes on as it began when the host's is set or
 * slept, so it is set again where it differs: what others write in logs must compare with what the engine records.
 */
export function wallClock(
  wall: () => number = Date.now,
  fine: () => number = () => performance.timeOrigin + performance.now(),
): () => number {
  let ahead = 0;
  return () => {
    const now = fine() + ahead;
    const difference = wall() - now;
    if (Math.abs(difference) <= TOLERANCE) return now;
    ahead += difference;
    return now + difference;
  };
}

export const systemClock: Clock = {
  now: wallClock(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
};

/** RFC 3339 with nine decimals in UTC, the form of Docker's JSON. `undefined` is Go's zero time. */
export function rfc3339Nano(ms: number | undefined): string {
  if (ms === undefined) return "0001-01-01T00:00:00Z";
  const whole = Math.floor(ms / 1000) * 1000;
  const nanos = Math.round((ms - whole) * 1e6);
  const seconds = new Date(whole).toISOString().slice(0, 19);
  const fraction = nanos.toString().padStart(9, "0").replace(/0+$/, "");
  return fraction === "" ? `${seconds}Z` : `${seconds}.${fraction}Z`;
}
