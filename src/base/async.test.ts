import { describe, expect, test } from "bun:test";
import { Batch, deferred, joinAll, toHavreError } from "./mod.ts";

describe("joinAll", () => {
  test("has what all came to, in order", async () => {
    const later = deferred<number>();
    const all = joinAll([() => later.promise, async () => 2]);
    later.resolve(1);
    expect(await all).toEqual([1, 2]);
  });

  test("when one fails it stops the others, waits for them, and throws the first failure", async () => {
    let ended = false;
    const slow = async (stop: AbortSignal) => {
      await new Promise((resolve) => stop.addEventListener("abort", resolve));
      await Promise.resolve();
      ended = true;
      throw new Error("second");
    };
    await expect(joinAll([slow, () => Promise.reject(new Error("first"))])).rejects.toThrow("first");
    expect(ended).toBe(true);
  });
});

describe("a batch", () => {
  test("runs so many at once and keeps their order", async () => {
    const gates = [deferred<string>(), deferred<string>(), deferred<string>()];
    const begun: number[] = [];
    await using batch = new Batch<string>(2);
    const adding = (async () => {
      for (const [at, { promise }] of gates.entries())
        await batch.add(() => {
          begun.push(at);
          return promise;
        });
    })();
    gates[1]?.resolve("b");
    await Promise.resolve();
    expect(begun).not.toContain(2);
    gates[0]?.resolve("a");
    gates[2]?.resolve("c");
    await adding;
    expect(await batch.results()).toEqual(["a", "b", "c"]);
  });

  test("that fails begins nothing more, and is disposed only when all has ended", async () => {
    const gate = deferred<void>();
    let ended = false;
    const end = () => {
      ended = true;
    };
    const work = async () => {
      await using batch = new Batch<void>(2);
      await batch.add(() => gate.promise.then(end));
      await batch.add(() => Promise.reject(new Error("full")));
      await batch.add(async () => expect.unreachable());
    };
    const working = work();
    // The failure is known by now; the first piece is not done.
    await new Promise((resolve) => setImmediate(resolve));
    gate.resolve();
    await expect(working).rejects.toThrow("full");
    expect(ended).toBe(true);
  });
});

test("a failure of work and of its clean-up is the work's, with the clean-up's beside it", async () => {
  const work = async () => {
    await using _held = { [Symbol.asyncDispose]: () => Promise.reject(new Error("clean-up")) };
    throw new Error("work");
  };
  const error = toHavreError(await work().catch((thrown: unknown) => thrown));
  expect(error.message).toBe("work");
  expect(error.cleanUpFailures).toEqual([new Error("clean-up")]);
});
