import { expect, test } from "bun:test";
import { SharedWork } from "./shared-work.ts";

const never = new AbortController().signal;

test("what several want at once is done once, and all hear all of it", async () => {
  const work = new SharedWork<string, number>({ replays: true });
  const gate = Promise.withResolvers<void>();
  let starts = 0;
  const begun = Promise.withResolvers<void>();
  const start = async (tell: (event: number) => void) => {
    starts++;
    tell(1);
    begun.resolve();
    await gate.promise;
    tell(2);
    return "made";
  };
  const heard: number[][] = [[], []];
  const first = work.run("key", start, (event) => heard[0]?.push(event), never);
  await begun.promise;
  const second = work.run("key", start, (event) => heard[1]?.push(event), never);
  gate.resolve();
  expect(await Promise.all([first, second])).toEqual(["made", "made"]);
  expect(starts).toBe(1);
  expect(heard).toEqual([
    [1, 2],
    [1, 2],
  ]);
  expect(
    await work.run(
      "key",
      async () => "again",
      () => {},
      never,
    ),
  ).toBe("again");
});

test("it goes on while anybody wants it and stops when the last one leaves", async () => {
  const work = new SharedWork<string, never>({ replays: true });
  const stopped = Promise.withResolvers<unknown>();
  const start = (_tell: unknown, signal: AbortSignal) =>
    new Promise<string>((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        stopped.resolve(signal.reason);
        reject(signal.reason);
      });
    });
  const [one, two] = [new AbortController(), new AbortController()];
  const first = work.run("key", start, () => {}, one.signal);
  const second = work.run("key", start, () => {}, two.signal);
  one.abort();
  await expect(first).rejects.toMatchObject({ kind: "cancelled" });
  expect(await Promise.race([stopped.promise, Promise.resolve("goes on")])).toBe("goes on");
  two.abort(new Error("left"));
  await expect(second).rejects.toMatchObject({ kind: "cancelled" });
  expect(await stopped.promise).toMatchObject({ message: "left" });
});

test("a failure reaches all, and the next one tries again", async () => {
  const work = new SharedWork<string, never>({ replays: true });
  const fail = async () => {
    throw new Error("broken");
  };
  const both = await Promise.allSettled([
    work.run("key", fail, () => {}, never),
    work.run("key", fail, () => {}, never),
  ]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(
    await work.run(
      "key",
      async () => "fine",
      () => {},
      never,
    ),
  ).toBe("fine");
});
