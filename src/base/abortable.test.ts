import { expect, test } from "bun:test";
import { abortable } from "./mod.ts";

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number++) yield number;
}

test("everything comes through, with a signal and without", async () => {
  for (const signal of [undefined, new AbortController().signal]) {
    const seen: number[] = [];
    for await (const number of abortable(numbers(5), signal)) seen.push(number);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  }
});

test("a silent source is left as soon as the signal aborts, and closed", async () => {
  const control = new AbortController();
  let closed = false;
  const silent: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: async () => {
        closed = true;
        return { done: true, value: undefined };
      },
    }),
  };
  const reading = (async () => {
    for await (const _ of abortable(silent, control.signal));
  })();
  control.abort(new Error("enough"));
  await expect(reading).rejects.toThrow("enough");
  expect(closed).toBe(true);
});

test("a signal that aborts between two items is seen before the next", async () => {
  const control = new AbortController();
  const seen: number[] = [];
  const reading = (async () => {
    for await (const number of abortable(numbers(5), control.signal)) {
      seen.push(number);
      if (number === 1) control.abort(new Error("enough"));
    }
  })();
  await expect(reading).rejects.toThrow("enough");
  expect(seen).toEqual([0, 1]);
});

test("what went through is not kept", async () => {
  const chunks = (async function* () {
    for (let at = 0; at < 400; at++) yield new Uint8Array(1 << 20).fill(1);
  })();
  const before = process.memoryUsage.rss();
  let most = 0;
  let count = 0;
  for await (const _ of abortable(chunks, new AbortController().signal)) {
    if (++count % 50 !== 0) continue;
    Bun.gc(true);
    most = Math.max(most, process.memoryUsage.rss() - before);
  }
  expect(most).toBeLessThan(150 << 20);
});
