import { expect, test } from "bun:test";
import { both, tee } from "./tee.ts";
import { bytesOf, streamOf } from "./testing/workshop.ts";

const BYTES = Buffer.from("0123456789".repeat(1000));

test("both readers get everything, at different paces", async () => {
  const [a, b] = tee(streamOf(BYTES, 7));
  const slowly = (async () => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of b) {
      await new Promise((resolve) => setImmediate(resolve));
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  })();
  expect((await bytesOf(a)).equals(BYTES)).toBe(true);
  expect((await slowly).equals(BYTES)).toBe(true);
});

test("the fast reader waits for the slow one", async () => {
  let produced = 0;
  const source = (async function* () {
    for (; produced < 1000; produced++) yield Buffer.from("x");
  })();
  const [a, b] = tee(source);
  const fast = bytesOf(a);
  const slow = b[Symbol.asyncIterator]();
  await slow.next();
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(produced).toBeLessThan(20);
  while (!(await slow.next()).done);
  expect((await fast).length).toBe(1000);
});

test("a reader that leaves does not stop the other; when both leave the source is closed", async () => {
  const [a, b] = tee(streamOf(BYTES, 10));
  const rest = bytesOf(b);
  for await (const _ of a) break;
  expect((await rest).equals(BYTES)).toBe(true);
});

test("a failure of the source reaches both", async () => {
  const [a, b] = tee(
    (async function* () {
      yield Buffer.from("x");
      throw new Error("gone");
    })(),
  );
  const results = await Promise.allSettled([bytesOf(a), bytesOf(b)]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});

test("of two pieces of work the first failure is told, after both have ended", async () => {
  let ended = false;
  const failing = both(
    async () => {
      throw new Error("the cause");
    },
    (signal) =>
      new Promise<void>((_, reject) =>
        signal.addEventListener("abort", () => {
          ended = true;
          reject(new Error("stopped"));
        }),
      ),
  );
  await expect(failing).rejects.toThrow("the cause");
  expect(ended).toBe(true);
});
