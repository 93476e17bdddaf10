import { expect, test } from "bun:test";
import { Workshop } from "./testing/workshop.ts";

const text = (shop: Workshop, name: string) => shop.images.resolve(name).id;

test("a tag goes back step by step, and forward again by digest; nothing is forgotten", async () => {
  using shop = new Workshop();
  const [one, two, three] = [await shop.make("a:1", "1"), await shop.make("a:1", "2"), await shop.make("a:1", "3")];
  await shop.images.rollback("a:1", { steps: 1 });
  expect(text(shop, "a:1") as string).toBe(two);
  await shop.images.rollback("a:1", { steps: 1 });
  expect(text(shop, "a:1") as string).toBe(one);
  await expect(shop.images.rollback("a:1", { steps: 1 })).rejects.toThrow("a:1 has no earlier image");
  await shop.images.rollback("a:1", { digest: three.slice(7, 20) });
  expect(text(shop, "a:1") as string).toBe(three);
  await shop.images.rollback("a:1", { steps: 2 });
  expect(text(shop, "a:1") as string).toBe(one);
  expect(shop.images.tagHistory("a:1").map(({ action, to }) => [action, to?.image as string])).toEqual([
    ["import", one],
    ["import", two],
    ["import", three],
    ["rollback", two],
    ["rollback", one],
    ["rollback", three],
    ["rollback", one],
  ]);
});

test("steps after a rollback and a new pointer go back to what the tag was before it", async () => {
  using shop = new Workshop();
  const one = await shop.make("a:1", "1");
  await shop.make("a:1", "2");
  await shop.images.rollback("a:1", { steps: 1 });
  await shop.make("a:1", "3");
  await shop.images.rollback("a:1", { steps: 1 });
  expect(text(shop, "a:1") as string).toBe(one);
});

test("a removed tag is still known, and comes back while its image is here", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  await shop.images.tag("a:1", "other");
  await shop.images.remove("a:1", { force: false, prune: true });
  expect(shop.images.tagHistory("a:1").map(({ action, present }) => [action, present])).toEqual([
    ["import", true],
    ["untag", false],
  ]);
  expect((await shop.images.rollback("a:1", { steps: 1 })).id as string).toBe(id);
  await shop.images.remove(id, { force: true, prune: true });
  await expect(shop.images.rollback("a:1", { steps: 1 })).rejects.toThrow("was removed from this machine");
  expect(() => shop.images.tagHistory("never")).toThrow("No tag was ever named never:latest");
});

test("one image is kept longer than others, or not at all, by its label or as the removal says", async () => {
  using shop = new Workshop(1000);
  await shop.make("long:1", "long", ["LABEL havre.image.keep=1d"]);
  await shop.make("never:1", "never", ["LABEL havre.image.keep=0"]);
  await shop.make("odd:1", "odd", ["LABEL havre.image.keep=soon"]);
  await shop.make("asked:1", "asked", ["LABEL havre.image.keep=0"]);
  const options = { force: false, prune: true };
  for (const name of ["long:1", "never:1", "odd:1"]) await shop.images.remove(name, options);
  await shop.images.remove("asked:1", { ...options, keep: 60_000 });
  const back = (name: string) => shop.images.rollback(name, { steps: 1 });
  await expect(back("never:1")).rejects.toThrow("was removed from this machine");
  shop.now += 2000;
  await shop.images.collect();
  await expect(back("odd:1")).rejects.toThrow("was removed from this machine");
  await back("asked:1");
  // Come back, it is removed as any other: by its label.
  await shop.images.remove("asked:1", options);
  await expect(back("asked:1")).rejects.toThrow("was removed from this machine");
  shop.now += 80_000_000;
  await shop.images.collect();
  await back("long:1");
});

test("within the retention a removed image is out of sight but not lost; afterwards its bytes go", async () => {
  using shop = new Workshop(1000);
  const id = await shop.make("a:1");
  await shop.images.remove("a:1", { force: false, prune: true });
  expect(shop.images.list({}, true)).toEqual([]);
  expect(shop.images.find(id)).toBeUndefined();
  expect((await shop.images.why().catch(() => [])).every(({ needs }) => needs[0]?.startsWith("history of a:1"))).toBe(
    true,
  );
  await shop.images.rollback("a:1", { steps: 1 });
  expect(text(shop, "a:1") as string).toBe(id);
  await shop.images.remove(id, { force: false, prune: true });
  shop.now += 2000;
  await shop.images.collect();
  expect([shop.blobCount(), shop.snapshots.layers().length]).toEqual([0, 0]);
  await expect(shop.images.rollback("a:1", { steps: 1 })).rejects.toThrow("was removed from this machine");
});
