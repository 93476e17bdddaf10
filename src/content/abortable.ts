/** The items of `source`, or the signal's reason as soon as it aborts, even while the source is silent. The source is closed. */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  if (!signal) {
    yield* source;
    return;
  }
  const iterator = source[Symbol.asyncIterator]();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  // Nobody may be waiting when it aborts between two items; the next race sees it.
  aborted.catch(() => {});
  let ended = false;
  try {
    signal.throwIfAborted();
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), aborted]);
      if (done) {
        ended = true;
        return;
      }
      yield value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a source that hangs would hang its reader's clean-up as well.
    if (!ended) void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
