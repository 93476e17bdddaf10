import { expect, test } from "bun:test";
import type { RemoveResult } from "./images.ts";
import { Workshop } from "./testing/workshop.ts";

const PLAIN = { force: false, prune: true };
const FORCE = { force: true, prune: true };

/** `untagged a:1`, `deleted IMAGE`, `deleted LAYER`. */
function words(results: readonly RemoveResult[], id: string): string[] {
  return results.map(({ untagged, deleted }) =>
    untagged ? `untagged ${untagged}` : deleted === id ? "deleted IMAGE" : "deleted LAYER",
  );
}

test("by name: the last name takes the image and its layers with it, an earlier one only itself", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  await shop.images.tag("a:1", "b");
  expect(words(await shop.images.remove("a:1", PLAIN), id)).toEqual(["untagged a:1"]);
  expect(shop.images.resolve("b").id as string).toBe(id);
  expect(words(await shop.images.remove("b", PLAIN), id)).toEqual([
    "untagged b:latest",
    "deleted IMAGE",
    "deleted LAYER",
  ]);
  expect([shop.blobCount(), shop.snapshots.layers().length, shop.images.list({}).length]).toEqual([0, 0, 0]);
  expect(shop.events.slice(-3)).toEqual([`untag ${id}`, `untag ${id}`, `delete ${id}`]);
});

test("by id: refused while it has several names, unless forced", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  await shop.images.tag("a:1", "b");
  const short = id.slice(7, 19);
  await expect(shop.images.remove(short, PLAIN)).rejects.toThrow(
    `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  );
  expect(words(await shop.images.remove(short, FORCE), id)).toEqual([
    "untagged a:1",
    "untagged b:latest",
    "deleted IMAGE",
    "deleted LAYER",
  ]);
});

test("by id with one name: both go", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  expect(words(await shop.images.remove(id.slice(0, 15), PLAIN), id)).toEqual([
    "untagged a:1",
    "deleted IMAGE",
    "deleted LAYER",
  ]);
});

test("a stopped container keeps the name, force takes the name and the image", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  shop.containers.push({ image: id, id: "c".repeat(64), running: false });
  await expect(shop.images.remove("a:1", PLAIN)).rejects.toThrow(
    `conflict: unable to remove repository reference "a:1" (must force) - container ${"c".repeat(12)} is using its referenced image ${id.slice(7, 19)}`,
  );
  await expect(shop.images.remove(id, PLAIN)).rejects.toThrow(
    `(must be forced) - image is being used by stopped container ${"c".repeat(12)}`,
  );
  expect(words(await shop.images.remove("a:1", FORCE), id)).toEqual(["untagged a:1", "deleted IMAGE", "deleted LAYER"]);
});

test("a running container: its name can be forced away, the image stays", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  shop.containers.push({ image: id, id: "c".repeat(64), running: true });
  await expect(shop.images.remove(id, FORCE)).rejects.toThrow(
    `(cannot be forced) - image is being used by running container ${"c".repeat(12)}`,
  );
  expect(words(await shop.images.remove("a:1", FORCE), id)).toEqual(["untagged a:1"]);
  expect(shop.images.get(id as never)?.tags).toEqual([]);
});

test("layers under a container survive the forced removal of its image", async () => {
  using shop = new Workshop();
  const id = await shop.make("a:1");
  const chain = shop.images.resolve("a:1").chain;
  await shop.snapshots.prepare("box", chain.at(-1));
  expect(words(await shop.images.remove("a:1", FORCE), id)).toEqual(["untagged a:1", "deleted IMAGE"]);
  expect(shop.snapshots.layers()).toEqual(chain as never);
  await shop.snapshots.remove("box");
  await shop.images.collect();
  expect(shop.snapshots.layers()).toEqual([]);
});

test("an image others were made from cannot go; the last child takes its unnamed parents with it", async () => {
  using shop = new Workshop();
  const base = await shop.make("base:1");
  await shop.snapshots.prepare("box", shop.images.resolve("base:1").chain.at(-1));
  const child = await shop.images.commit({
    container: { id: "box", imageId: base as never, layerKey: "box", config: {}, command: "sh" },
    reference: "child",
    changes: ["ENV A=1"],
  });
  await shop.snapshots.remove("box");
  const [layer] = shop.images.resolve(base).chain;
  await expect(shop.images.remove(base, PLAIN)).rejects.toThrow(
    "(cannot be forced) - image has dependent child images",
  );
  expect(words(await shop.images.remove("base:1", PLAIN), base)).toEqual(["untagged base:1"]);
  const results = await shop.images.remove("child", PLAIN);
  expect(results.map(({ untagged, deleted }) => untagged ?? deleted)).toEqual(["child:latest", child, base, layer]);
  expect([shop.blobCount(), shop.snapshots.layers().length]).toEqual([0, 0]);
});

test("prune takes what has no name; all of it, what no container uses", async () => {
  using shop = new Workshop();
  const old = await shop.make("a:1", "old");
  await shop.make("a:1", "new");
  const used = await shop.make("used:1");
  shop.containers.push({ image: used, id: "c".repeat(64), running: false });
  const first = await shop.images.prune({ dangling: true });
  expect([first.removed[0]?.deleted as string, first.removed.length, first.reclaimed]).toEqual([old, 2, 3]);
  const second = await shop.images.prune({ dangling: false });
  expect(second.removed.map(({ untagged }) => untagged).filter(Boolean)).toEqual(["a:1"]);
  expect(shop.images.list({}).map(({ tags }) => tags)).toEqual([["used:1"]]);
  expect(shop.events.filter((event) => event.startsWith("prune")).length).toBe(2);
});

test("prune by time and label", async () => {
  using shop = new Workshop();
  await shop.make("a:1", "a", ["LABEL keep=yes"]);
  const then = shop.now - 1;
  await shop.make("b:1");
  const until = await shop.images.prune({ dangling: false, until: then, labels: ["!keep"] });
  expect(until.removed).toEqual([]);
  const labelled = await shop.images.prune({ dangling: false, until: then, labels: ["keep=yes"] });
  expect(labelled.removed[0]?.untagged).toBe("a:1");
  expect(shop.images.list({}).map(({ tags }) => tags)).toEqual([["b:1"]]);
});
