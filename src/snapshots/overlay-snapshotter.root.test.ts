import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Digest } from "../base/mod.ts";
import { mountInfo, unmount } from "../kernel/mod.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import { type TarMember, writeTar } from "./tar/writer.ts";

let root: string;
let snapshots: OverlaySnapshotter;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "havre-snapshots-"));
  snapshots = new OverlaySnapshotter(root);
  await snapshots.recover();
});
afterEach(async () => {
  await snapshots.close();
  const leaked = mountInfo().filter(({ mountPoint }) => mountPoint.startsWith(root));
  for (const { mountPoint } of leaked.reverse()) unmount(mountPoint, { detach: true });
  rmSync(root, { recursive: true });
});

/** What every container's tree has. */
const MOUNT_POINTS = [".dockerenv", "dev", "etc", "proc", "sys"];

const file = (path: string, text = path): TarMember => ({
  header: { path, size: text.length },
  body: Buffer.from(text),
});
const folder = (path: string, mode = 0o755): TarMember => ({ header: { path, type: "directory", mode } });
/** Not `expect().rejects`: it waits inside the event loop, which then passes no messages of a worker on. */
const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const layer = (parent: Digest | undefined, ...members: TarMember[]) => snapshots.apply(parent, writeTar(members));

test("a container's tree is its layers, the higher over the lower, and its own changes", async () => {
  const base = await layer(undefined, folder("dir"), file("dir/a"), file("dir/b"), file("c"));
  const top = await layer(base.chainId, folder("dir"), file("dir/a", "changed"), file("dir/.wh.b", ""), file("d"));
  await snapshots.prepare("one", top.chainId);
  const tree = await snapshots.mount("one");
  expect(tree).toBe(snapshots.mountPoint("one"));
  expect(readdirSync(tree).sort()).toEqual([...MOUNT_POINTS, "c", "d", "dir"].sort());
  expect(readdirSync(join(tree, "dir"))).toEqual(["a"]);
  expect(readFileSync(join(tree, "dir/a"), "utf8")).toBe("changed");
  writeFileSync(join(tree, "new"), "x");
  await snapshots.unmount("one");
  expect(readdirSync(tree)).toEqual([]);
  await snapshots.mount("one");
  await snapshots.mount("one");
  expect(mountInfo().filter(({ mountPoint }) => mountPoint === tree).length).toBe(1);
  expect(readFileSync(join(tree, "new"), "utf8")).toBe("x");
  await snapshots.remove("one");
  await snapshots.remove("one");
  expect(snapshots.keys()).toEqual([]);
  expect(existsSync(tree)).toBe(false);
});

test("an opaque folder hides what is below it, in the top folder too", async () => {
  const base = await layer(undefined, folder("dir"), file("dir/a"), file("c"));
  const opaque = await layer(base.chainId, folder("dir"), file("dir/.wh..wh..opq", ""), file("dir/b"));
  const all = await layer(opaque.chainId, file("e"), file(".wh..wh..opq", ""));
  await snapshots.withView(opaque.chainId, async (tree) => {
    expect(readdirSync(tree).sort()).toEqual(["c", "dir"]);
    expect(readdirSync(join(tree, "dir"))).toEqual(["b"]);
  });
  await snapshots.withView(all.chainId, async (tree) => expect(readdirSync(tree)).toEqual(["e"]));
});

test("a folder made only because a name needs it has the attributes it had below", async () => {
  const base = await layer(undefined, folder("./", 0o711), folder("a", 0o700), folder("a/b", 0o1777));
  const top = await layer(base.chainId, file("a/b/c/file"));
  await snapshots.withView(top.chainId, async (tree) => {
    expect(statSync(tree).mode & 0o7777).toBe(0o711);
    expect(statSync(join(tree, "a")).mode & 0o7777).toBe(0o700);
    expect(statSync(join(tree, "a/b")).mode & 0o7777).toBe(0o1777);
    expect(statSync(join(tree, "a/b/c")).mode & 0o7777).toBe(0o755);
  });
  await snapshots.prepare("one", top.chainId);
  expect(statSync(await snapshots.mount("one")).mode & 0o7777).toBe(0o711);
});

test("a hard link to a file that only a lower layer has", async () => {
  const script: TarMember = {
    header: { path: "bin/tool", mode: 0o4711, uid: 9, size: 4, mtime: 5n },
    body: Buffer.from("tool"),
  };
  const base = await layer(undefined, script, file("gone"));
  const hard = (path: string, linkTarget: string): TarMember => ({ header: { path, type: "hardlink", linkTarget } });
  const top = await layer(base.chainId, hard("bin/again", "bin/tool"), hard("third", "bin/again"));
  await snapshots.withView(top.chainId, async (tree) => {
    expect(readFileSync(join(tree, "third"), "utf8")).toBe("tool");
    expect(statSync(join(tree, "bin/again"))).toMatchObject({ mode: 0o104711, uid: 9, nlink: 3 });
    expect(statSync(join(tree, "bin/tool")).ino).toBe(statSync(join(tree, "third")).ino);
  });
  const missing = await failureOf(layer(base.chainId, file(".wh.gone", ""), hard("x", "gone")));
  expect(missing).toMatchObject({ kind: "invalid-argument", message: expect.stringContaining("Unpacking x") });
});

test("a writable layer on nothing, a view of nothing", async () => {
  await snapshots.prepare("one", undefined);
  const tree = await snapshots.mount("one");
  expect(statSync(tree).mode & 0o7777).toBe(0o755);
  writeFileSync(join(tree, "x"), "x");
  await snapshots.withView(undefined, async (view) => {
    expect(readdirSync(view)).toEqual([]);
    expect(() => writeFileSync(join(view, "x"), "")).toThrow("EROFS");
  });
});

test("the same layer applied twice at once is made once; a lie about its digest leaves nothing", async () => {
  const made = await Promise.all([1, 2, 3].map(() => layer(undefined, file("a"))));
  expect(new Set(made.map(({ chainId }) => chainId)).size).toBe(1);
  expect(snapshots.layers()).toEqual([made[0]?.chainId as Digest]);
  const lie = `sha256:${"0".repeat(64)}` as const;
  expect(await failureOf(snapshots.apply(undefined, writeTar([file("a")]), lie))).toMatchObject({ kind: "data-loss" });
  await snapshots.settled();
  expect(readdirSync(join(root, "snapshots", "staging"))).toEqual([]);
  expect(readdirSync(join(root, "snapshots", "trash"))).toEqual([]);
});

test("a layer that is here already is not read again", async () => {
  const { diffId, chainId } = await layer(undefined, file("a"));
  async function* untouchable(): AsyncGenerator<Uint8Array> {
    yield await Promise.reject(new Error("was read"));
  }
  expect(await snapshots.apply(undefined, untouchable(), diffId)).toMatchObject({ chainId });
});

test("collection spares what is needed, held or stood on", async () => {
  const base = await layer(undefined, file("a"));
  const used = await layer(base.chainId, file("b"));
  const loose = await layer(base.chainId, file("c"));
  const looser = await layer(loose.chainId, file("d"));
  await snapshots.prepare("one", used.chainId);
  const hold = snapshots.hold();
  const fresh = await layer(undefined, file("e"));
  expect(await snapshots.collect(() => false)).toEqual([looser.chainId, loose.chainId]);
  hold[Symbol.dispose]();
  expect(await snapshots.collect(() => false)).toEqual([fresh.chainId]);
  await snapshots.remove("one");
  expect(await snapshots.collect((chainId) => chainId === base.chainId)).toEqual([used.chainId]);
  expect(snapshots.layers()).toEqual([base.chainId]);
});

test("127 layers mount as one tree", async () => {
  let parent: Digest | undefined;
  for (let index = 0; index < 127; index++) {
    parent = (await layer(parent, file(`file-${index}`), file("top", String(index)))).chainId;
  }
  await snapshots.prepare("many", parent);
  const tree = await snapshots.mount("many");
  expect(readdirSync(tree).length).toBe(128 + MOUNT_POINTS.length);
  expect(readFileSync(join(tree, "top"), "utf8")).toBe("126");
});

test("names that cannot be keys, keys that are taken, layers that are not here", async () => {
  await expect(snapshots.prepare("../x", undefined)).rejects.toMatchObject({ kind: "invalid-argument" });
  await snapshots.prepare("x", undefined);
  await expect(snapshots.prepare("x", undefined)).rejects.toMatchObject({ kind: "already-exists" });
  await expect(snapshots.prepare("y", `sha256:${"1".repeat(64)}`)).rejects.toMatchObject({ kind: "not-found" });
  await expect(snapshots.mount("z")).rejects.toMatchObject({ kind: "not-found" });
  expect(readdirSync(join(root, "snapshots", "staging"))).toEqual([]);
});

test("everything is found again by the next daemon", async () => {
  const base = await layer(undefined, file("a"));
  await snapshots.prepare("one", base.chainId);
  writeFileSync(join(await snapshots.mount("one"), "x"), "kept");
  const next = new OverlaySnapshotter(root);
  await next.recover();
  expect(next.keys()).toEqual(["one"]);
  expect(next.layers()).toEqual([base.chainId]);
  expect(next.layerUsage(base.chainId)).toEqual(snapshots.layerUsage(base.chainId));
  expect(readFileSync(join(await next.mount("one"), "x"), "utf8")).toBe("kept");
  expect((await next.usage("one")).content).toBe(4);
});

test("after a power cut only layers that were written to disk are trusted", async () => {
  const safe = await layer(undefined, file("a"));
  await snapshots.close();
  const record = () => JSON.parse(readFileSync(join(root, "snapshots/layers/1/layer.json"), "utf8"));
  expect(record().unsynced).toBeUndefined();
  const fresh = await layer(safe.chainId, file("b"));
  await snapshots.close();
  const path = join(root, "snapshots/layers/2/layer.json");
  const other = { ...JSON.parse(readFileSync(path, "utf8")), unsynced: "another boot" };
  writeFileSync(path, JSON.stringify(other));
  const next = new OverlaySnapshotter(root);
  await next.recover();
  await next.close();
  expect(next.layers()).toEqual([safe.chainId]);
  expect(readdirSync(join(root, "snapshots/layers"))).toEqual(["1"]);
  expect(snapshots.has(fresh.chainId)).toBe(true);
});
