import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, chownSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../base/mod.ts";
import { type TarMember, writeTar } from "../snapshots/mod.ts";
import { RealWorkshop } from "./testing/real-workshop.ts";
import { bytesOf, streamOf } from "./testing/workshop.ts";

let shop: RealWorkshop;
let base: Digest;
beforeEach(async () => {
  shop = await RealWorkshop.open();
  base = await shop.images.import(
    {
      source: writeTar(TREE),
      repository: "base",
      message: "made for a test",
      changes: ["ENV A=1", 'CMD ["/bin/sh"]', "LABEL old=x"],
    },
    () => {},
  );
});
afterEach(async () => {
  for (const key of shop.snapshots.keys()) await shop.snapshots.remove(key);
  await shop[Symbol.asyncDispose]();
});

const STATUS = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: old
Status: install ok installed
Architecture: all
Version: 1:2.0-3
`;

/** cap_net_raw=ep, as `setcap` writes it. */
const CAPABILITY = Buffer.from("0100000200200000000000000000000000000000", "hex");

const file = (path: string, text: string | Uint8Array, mode = 0o644): TarMember => ({
  header: { path, mode, size: text.length },
  body: Buffer.from(text),
});
const folder = (path: string): TarMember => ({ header: { path, type: "directory" } });
const TREE: TarMember[] = [
  folder("var"),
  folder("var/lib"),
  folder("var/lib/dpkg"),
  file("var/lib/dpkg/status", STATUS),
  file("same", "same"),
  file("content", "one"),
  file("mode", "x"),
  file("owner", "x"),
  folder("dir"),
  file("dir/a", "a"),
  file("turns", "into a folder"),
  { header: { path: "able", size: 0, xattrs: new Map([["security.capability", CAPABILITY]]) } },
  { header: { path: "link", type: "symlink", linkTarget: "same" } },
];

/** Changes a container's tree and commits it. */
async function commit(
  reference: string,
  from: Digest,
  change: (tree: string) => void,
  changes: readonly string[] = [],
) {
  const key = `box-${reference}`;
  const image = shop.images.get(from);
  await shop.snapshots.prepare(key, image?.chain.at(-1));
  change(await shop.snapshots.mount(key));
  const config = image?.config.config ?? {};
  const container = { id: key, imageId: from, layerKey: key, config, command: "sh -c change" };
  const id = await shop.images.commit({ container, reference, author: "ann", message: "changed", changes });
  await shop.snapshots.remove(key);
  return id;
}

function changeAll(tree: string): void {
  writeFileSync(join(tree, "content"), "two");
  chmodSync(join(tree, "mode"), 0o4755);
  chownSync(join(tree, "owner"), 12, 34);
  rmSync(join(tree, "dir"), { recursive: true });
  rmSync(join(tree, "turns"));
  mkdirSync(join(tree, "turns"));
  writeFileSync(join(tree, "turns/inside"), "new");
  rmSync(join(tree, "able"));
  writeFileSync(join(tree, "able"), "");
  rmSync(join(tree, "link"));
  symlinkSync("content", join(tree, "link"));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), Buffer.from([0x6e, 0xff])]), "name that is not UTF-8");
  const status = STATUS.replace("2.36-9", "2.36-10").replace("Package: old", "Package: young");
  writeFileSync(join(tree, "var/lib/dpkg/status.new"), status);
  renameSync(join(tree, "var/lib/dpkg/status.new"), join(tree, "var/lib/dpkg/status"));
}

test("the difference of two images: files, configuration and packages", async () => {
  await commit("next", base, changeAll, ["ENV A=2 B=3", "LABEL new=y"]);
  const { files, config, packages } = await shop.images.diff("base", "next");
  expect(files.map(({ path, kind, what }) => `${kind} ${path} ${what?.join()}`)).toEqual([
    "modified /able attributes",
    "modified /content content",
    "deleted /dir undefined",
    "deleted /dir/a undefined",
    "modified /link target",
    "modified /mode mode",
    "added /n\ufffd undefined",
    "modified /owner owner",
    "modified /turns type",
    "added /turns/inside undefined",
    "modified /var/lib/dpkg/status content",
  ]);
  expect(files.find(({ path }) => path === "/mode")).toMatchObject({
    before: { mode: 0o644, size: 1 },
    after: { mode: 0o4755 },
  });
  expect([...(files.find(({ rawPath }) => rawPath)?.rawPath ?? [])]).toEqual([0x2f, 0x6e, 0xff]);
  expect(config).toEqual([
    { field: "Env.A", before: "1", after: "2" },
    { field: "Env.B", after: "3" },
    { field: "Labels.new", after: "y" },
    { field: "author", after: "ann" },
    { field: "comment", before: "made for a test", after: "changed" },
  ]);
  expect(packages).toEqual([
    { name: "libc6", architecture: "amd64", before: "2.36-9", after: "2.36-10" },
    { name: "old", architecture: "all", before: "1:2.0-3" },
    { name: "young", architecture: "all", after: "1:2.0-3" },
  ]);
});

test("the same tree in another image has no file differences; a container's tree can be a side", async () => {
  await commit("same", base, () => {}, ["ENV A=2"]);
  const same = await shop.images.diff("base", "same");
  expect([same.files, same.packages]).toEqual([[], []]);
  await shop.snapshots.prepare("live", shop.images.resolve("base").chain.at(-1));
  const tree = await shop.snapshots.mount("live");
  writeFileSync(join(tree, "fresh"), "x");
  symlinkSync("/etc", join(tree, "outside"));
  const live = await shop.images.diff("base", { folder: tree, config: {} });
  expect(live.files.map(({ kind, path }) => `${kind} ${path}`)).toEqual(["added /fresh", "added /outside"]);
});

test("a commit is its parent's layers and one of its own, told by log and history", async () => {
  const id = await commit("next", base, changeAll, ['ENTRYPOINT ["/init"]']);
  const image = shop.images.resolve("next");
  expect([image.parent as string, image.chain[0], image.chain.length]).toEqual([
    base,
    shop.images.get(base)?.chain[0],
    2,
  ] as never);
  expect(image.config.config).toMatchObject({ Entrypoint: ["/init"], Cmd: null, Env: ["A=1"] });
  const [top, bottom] = shop.images.log("next");
  expect(top).toMatchObject({
    entry: { created_by: "sh -c change", author: "ann", comment: "changed" },
    layer: { chainId: image.chain[1], arrived: { origin: "commit", container: "box-next" } },
  });
  expect(bottom).toMatchObject({ entry: { comment: "made for a test" }, layer: { arrived: { origin: "import" } } });
  expect(shop.images.history("next").map(({ id, tags, size }) => [id as string, tags, size > 0])).toEqual([
    [id, ["next:latest"], true],
    [base, ["base:latest"], true],
  ]);
});

test("a container that changed nothing commits without a layer", async () => {
  await commit("nothing", base, () => {});
  const image = shop.images.resolve("nothing");
  expect(image.chain).toEqual(shop.images.resolve("base").chain);
  expect(image.config.history?.at(-1)?.empty_layer).toBe(true);
  expect(shop.images.history("nothing")[0]?.size).toBe(0);
});

test("a committed image is saved and loaded elsewhere whole", async () => {
  const id = await commit("next", base, changeAll);
  const archive = await bytesOf(shop.images.save(["next", "base"]));
  await using other = await RealWorkshop.open();
  await other.load(streamOf(archive, 1 << 16));
  expect(other.images.resolve("next").id).toBe(id);
  expect(other.images.resolve("next").parent).toBe(base);
  const both = await shop.snapshots.withView(shop.images.resolve("next").chain.at(-1), (folder) =>
    other.images.diff("next", { folder, config: shop.images.resolve("next").config }),
  );
  expect(both).toEqual({ files: [], config: [], packages: [] });
});

test("a commit on an image that was removed says so and leaves nothing", async () => {
  const chain = shop.images.resolve("base").chain;
  await shop.snapshots.prepare("orphan", chain.at(-1));
  await shop.images.remove("base", { force: true, prune: true });
  const container = { id: "orphan", imageId: base, layerKey: "orphan", config: {}, command: "" };
  await expect(shop.images.commit({ container, changes: [] })).rejects.toThrow(`No such image: ${base}`);
  expect(shop.snapshots.layers()).toEqual([...chain]);
  expect([...shop.content.list()]).toEqual([]);
});

test("every byte has a reason, and what has none goes with the next collection", async () => {
  await commit("next", base, changeAll);
  await shop.images.tag("base", "other");
  await shop.snapshots.prepare("box", shop.images.resolve("base").chain.at(-1));
  await shop.content.put(Buffer.from("nobody needs this"));
  const why = await shop.images.why();
  const reasons = (kind: string) =>
    why
      .filter((account) => account.kind === kind)
      .map(({ needs }) => needs.join("; "))
      .sort();
  const shared = "image base:latest, other:latest; image next:latest";
  expect(reasons("layer")).toEqual([`${shared}; container box`, "image next:latest"]);
  expect(reasons("writable")).toEqual(["container box"]);
  expect(reasons("blob")).toEqual(
    ["", ...Array(2).fill("image base:latest, other:latest"), shared, ...Array(3).fill("image next:latest")].sort(),
  );
  const collected = await shop.images.collect();
  expect([collected.blobs.length, collected.layers.length]).toEqual([1, 0]);
  const usage = shop.images.diskUsage();
  expect(usage.layersSize).toBe(
    usage.images.reduce((sum, image) => sum + image.uniqueSize, 0) + (usage.images[0]?.sharedSize ?? 0),
  );
});
