import { expect, test } from "bun:test";
import { Waiters } from "./waiters.ts";

test("an exit settles those who wait for an end, a removal settles all", async () => {
  const waiters = new Waiters();
  const exit = waiters.next("a", "next-exit");
  const removed = waiters.next("a", "removed");
  const other = waiters.next("b", "not-running");
  waiters.exited("a", { code: 3 });
  expect(await exit).toEqual({ code: 3 });
  waiters.removed("a", { code: 4 });
  expect(await removed).toEqual({ code: 4 });
  waiters.removed("b", { code: 5 });
  expect(await other).toEqual({ code: 5 });
});

test("whoever is gone already is not waited for", async () => {
  const waiters = new Waiters();
  let settled = false;
  void waiters.next("a", "next-exit", AbortSignal.abort()).then(() => {
    settled = true;
  });
  waiters.removed("a", { code: 0 });
  await Promise.resolve();
  expect(settled).toBe(false);
});
