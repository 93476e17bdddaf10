import { expect, test } from "bun:test";
import { ReadyPool } from "./ready-pool.ts";

function counting(target: number) {
  const made: number[] = [];
  const discarded: number[] = [];
  const failures: unknown[] = [];
  let broken = false;
  const full = Promise.withResolvers<void>();
  const pool = new ReadyPool<number>({
    target,
    low: 1,
    make: () => {
      if (broken) throw new Error("broken");
      made.push(made.length);
      if (made.length === target) full.resolve();
      return made.length - 1;
    },
    discard: (item) => discarded.push(item),
    failed: (error) => {
      failures.push(error);
      full.resolve();
    },
  });
  return { pool, made, discarded, failures, full: full.promise, break: () => (broken = true) };
}

test("fills to its target and no further, gives the oldest first", async () => {
  const { pool, made, full, discarded } = counting(3);
  expect(pool.take()).toBeUndefined();
  await full;
  expect(made).toEqual([0, 1, 2]);
  expect([pool.take(), pool.take()]).toEqual([0, 1]);
  pool.close();
  expect(discarded).toEqual([2]);
  expect(pool.take()).toBeUndefined();
});

test("a failure is told once and does not repeat by itself", async () => {
  const fixture = counting(3);
  fixture.break();
  fixture.pool.refillSoon();
  await fixture.full;
  await new Promise((resolve) => setImmediate(resolve));
  expect(fixture.failures.length).toBe(1);
  fixture.pool.close();
});
