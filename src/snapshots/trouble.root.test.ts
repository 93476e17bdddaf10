import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FileContentStore } from "../content/mod.ts";
import { mount, mountInfo, unmount } from "../kernel/mod.ts";
import { OverlaySnapshotter } from "./overlay-snapshotter.ts";
import { type TarMember, writeTar } from "./tar/writer.ts";

let root: string;
let snapshots: OverlaySnapshotter;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "havre-trouble-"));
  mount({ type: "tmpfs", source: "tmpfs", options: ["size=4m"] }, root);
  snapshots = new OverlaySnapshotter(root);
});
afterEach(async () => {
  await snapshots.close();
  for (const { mountPoint } of mountInfo().reverse()) if (mountPoint.startsWith(root)) unmount(mountPoint);
  rmSync(root, { recursive: true });
});

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const file = (path: string, size: number): TarMember => ({ header: { path, size }, body: Buffer.alloc(size, path) });

async function nothingIsLeft(): Promise<void> {
  await snapshots.settled();
  expect(readdirSync(join(root, "snapshots/staging"))).toEqual([]);
  expect(readdirSync(join(root, "snapshots/trash"))).toEqual([]);
  expect(readdirSync(join(root, "snapshots/layers"))).toEqual([]);
}

test("a full disk fails the one layer, with a hint, and leaves room for the next", async () => {
  const large = Array.from({ length: 10 }, (_, index) => file(`f${index}`, 1 << 20));
  const failure = await failureOf(snapshots.apply(undefined, writeTar(large)));
  expect(failure).toMatchObject({ kind: "resource-exhausted", hint: expect.stringContaining("disk space") });
  await nothingIsLeft();
  expect((await snapshots.apply(undefined, writeTar([file("small", 1000)]))).size).toBe(1000);
});

test("a full disk fails the one blob and leaves room for the next", async () => {
  const content = new FileContentStore(root);
  const failure = await failureOf(content.put(Buffer.alloc(8 << 20, "x")));
  expect(failure).toMatchObject({ kind: "resource-exhausted" });
  expect(readdirSync(join(root, "content/ingest"))).toEqual([]);
  expect((await content.put(Buffer.alloc(1 << 20))).size).toBe(1 << 20);
});

test("a bomb is stopped at the limit, which is said, and nothing is left", async () => {
  const careful = new OverlaySnapshotter(root, undefined, { extensionBytes: 10_000, entries: 3, contentBytes: 5000 });
  try {
    const many = Array.from({ length: 5 }, (_, index) => file(`f${index}`, 1));
    expect(await failureOf(careful.apply(undefined, writeTar(many)))).toMatchObject({
      kind: "resource-exhausted",
      message: "Tar archive refused: more than 3 members",
    });
    expect(await failureOf(careful.apply(undefined, writeTar([file("f", 6000)])))).toMatchObject({
      kind: "resource-exhausted",
      message: "Tar archive refused: more than 5000 bytes of content",
    });
  } finally {
    await careful.close();
  }
  await nothingIsLeft();
});

test("a read-only disk is said to be one", async () => {
  mount({ type: "tmpfs", source: "tmpfs", options: ["remount", "ro"] }, root);
  expect(await failureOf(snapshots.apply(undefined, writeTar([file("f", 1)])))).toMatchObject({ kind: "unavailable" });
  expect(await failureOf(snapshots.prepare("one", undefined))).toMatchObject({ kind: "unavailable" });
  mount({ type: "tmpfs", source: "tmpfs", options: ["remount", "rw"] }, root);
  await nothingIsLeft();
});

test("a source that fails half-way fails with its own error, and nothing is left", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    for await (const chunk of writeTar([file("a", 1000)])) {
      yield chunk;
      throw new Error("line cut");
    }
  }
  expect(String(await failureOf(snapshots.apply(undefined, broken())))).toContain("line cut");
  await nothingIsLeft();
});

test("an archive that stops half-way is refused, and nothing is left", async () => {
  async function* cut(): AsyncGenerator<Uint8Array> {
    for await (const chunk of writeTar([file("a", 1000)])) {
      yield chunk.subarray(0, 700);
      if (chunk.length === 1000) return;
    }
  }
  expect(await failureOf(snapshots.apply(undefined, cut()))).toMatchObject({ kind: "invalid-argument" });
  await nothingIsLeft();
});

test("a malformed archive is refused at once, though its source goes silent", async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(1 << 20, "no archive");
    await new Promise(() => {});
  }
  expect(await failureOf(snapshots.apply(undefined, source()))).toMatchObject({ kind: "invalid-argument" });
  await nothingIsLeft();
});

test("a caller who gives up while the source is silent is answered at once, and nothing is left", async () => {
  const controller = new AbortController();
  const silent = Promise.withResolvers<void>();
  async function* source(): AsyncGenerator<Uint8Array> {
    for await (const chunk of writeTar([file("a", 1_000_000)])) {
      yield chunk;
      silent.resolve();
      await new Promise(() => {});
    }
  }
  const work = failureOf(snapshots.apply(undefined, source(), undefined, controller.signal));
  await silent.promise;
  controller.abort();
  expect(await work).toMatchObject({ kind: "cancelled" });
  await nothingIsLeft();
});

test("a reader who stops early ends the packing", async () => {
  await snapshots.prepare("one", undefined);
  await Bun.write(join(await snapshots.mount("one"), "f"), Buffer.alloc(2 << 20, "x"));
  for await (const chunk of snapshots.diff("one")) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  let size = 0;
  for await (const chunk of snapshots.diff("one")) size += chunk.length;
  expect(size).toBeGreaterThan(2 << 20);
});
