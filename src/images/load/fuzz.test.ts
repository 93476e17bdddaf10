import { expect, test } from "bun:test";
import { isHavreError } from "../../base/mod.ts";
import { bytesOf, streamOf, Workshop } from "../testing/workshop.ts";

const ROUNDS = 300;

/** A small generator of numbers that are the same in every run (xorshift). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("an archive with wrong bytes anywhere is loaded whole or refused for a reason, and leaves nothing", async () => {
  using origin = new Workshop();
  await origin.make("a:1", "some text");
  const archive = await bytesOf(origin.images.save(["a:1"]));
  const pick = random(20260101);
  let refused = 0;
  using shop = new Workshop();
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = Buffer.from(archive);
    for (let change = 0; change <= pick(3); change++) {
      const at = pick(bytes.length);
      if (pick(2)) bytes[at] = pick(256);
      else bytes.copy(bytes, at, pick(bytes.length), Math.min(bytes.length, at + 1 + pick(600)));
    }
    const failure: unknown = await shop.load(streamOf(bytes, 4096)).then(
      () => undefined,
      (error) => error,
    );
    if (failure !== undefined) {
      refused++;
      if (!isHavreError(failure) || failure.kind === "internal") throw failure;
    }
    for (const { id } of shop.images.list({}, true)) await shop.images.remove(id, { force: true, prune: true });
    expect([shop.blobCount(), shop.snapshots.layers().length]).toEqual([0, 0]);
  }
  expect(refused).toBeGreaterThan(ROUNDS / 10);
});
