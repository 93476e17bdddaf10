import { afterEach, beforeEach, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Digest, Digester, digestOf } from "../base/mod.ts";
import { FileContentStore } from "./file-content-store.ts";

let root: string;
let store: FileContentStore;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "havre-content-"));
  store = new FileContentStore(root);
});
afterEach(() => rmSync(root, { recursive: true }));

async function* stream(...parts: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}
const leftovers = () => readdirSync(join(root, "content", "ingest"));
const text = async (digest: Digest) => {
  const parts: Uint8Array[] = [];
  for await (const part of store.stream(digest)) parts.push(part);
  return Buffer.concat(parts).toString();
};

test("what is ingested is found under its digest, whole", async () => {
  const { digest, size } = await store.ingest(stream("hello ", "world"));
  expect(digest).toBe(digestOf("hello world"));
  expect(size).toBe(11);
  expect(store.info(digest)).toEqual({ digest, size });
  expect(Buffer.from(await store.read(digest)).toString()).toBe("hello world");
  expect(await text(digest)).toBe("hello world");
  expect(readFileSync(store.path(digest), "utf8")).toBe("hello world");
  expect(leftovers()).toEqual([]);
});

test("large blobs and the empty one round-trip", async () => {
  const chunk = Buffer.alloc(700_001, "abc");
  const { digest, size } = await store.ingest(stream(...Array.from({ length: 7 }, () => chunk)));
  expect(size).toBe(7 * 700_001);
  const digester = new Digester();
  for await (const part of store.stream(digest)) digester.update(part);
  expect(digester.digest()).toBe(digest);
  const empty = await store.ingest(stream());
  expect(await text(empty.digest)).toBe("");
});

test("sha512 is verified when it is what was promised", async () => {
  const digest = new Digester("sha512").update(Buffer.from("x")).digest();
  expect((await store.put(Buffer.from("x"), { digest })).digest).toBe(digest);
  expect(await text(digest)).toBe("x");
});

test.each([
  [{ digest: digestOf("other") }, "have the digest"],
  [{ size: 4 }, "more than 4 bytes came"],
  [{ size: 6 }, "5 bytes came instead of 6"],
])("a lie about %p leaves nothing behind", async (expected, message) => {
  await expect(store.ingest(stream("hel", "lo"), expected)).rejects.toMatchObject({
    kind: "data-loss",
    message: expect.stringContaining(message),
  });
  expect(leftovers()).toEqual([]);
  expect([...store.list()]).toEqual([]);
});

test("a source that fails half-way leaves nothing behind", async () => {
  async function* broken() {
    yield Buffer.from("x");
    throw new Error("line cut");
  }
  await expect(store.ingest(broken())).rejects.toThrow("line cut");
  expect(leftovers()).toEqual([]);
});

test("cancelling a silent source ends the ingest at once and closes the source", async () => {
  const controller = new AbortController();
  const started = Promise.withResolvers<void>();
  async function* silent(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("x");
    started.resolve();
    await new Promise(() => {});
  }
  const ingest = store.ingest(silent(), {}, controller.signal);
  await started.promise;
  controller.abort();
  await expect(ingest).rejects.toMatchObject({ kind: "cancelled" });
  expect(leftovers()).toEqual([]);
});

test("a byte that flipped on disk is named, and storing the blob again heals it", async () => {
  const { digest } = await store.put(Buffer.from("precious"));
  writeFileSync(store.path(digest), "preciouz");
  await expect(store.read(digest)).rejects.toMatchObject({
    kind: "data-loss",
    message: expect.stringContaining(digest),
  });
  await expect(text(digest)).rejects.toMatchObject({ kind: "data-loss" });
  await store.put(Buffer.from("precious"));
  expect(await text(digest)).toBe("precious");
});

test("a blob that is not here is not-found, one too large for its reader is refused", async () => {
  await expect(store.read(digestOf("nothing"))).rejects.toMatchObject({ kind: "not-found" });
  const { digest } = await store.put(Buffer.from("12345"));
  await expect(store.read(digest, 4)).rejects.toMatchObject({ kind: "resource-exhausted" });
});

test("collection spares what is needed and what is held", async () => {
  const old = await store.put(Buffer.from("old"));
  const wanted = await store.put(Buffer.from("wanted"));
  const seen = await store.put(Buffer.from("seen"));
  const hold = store.hold();
  const fresh = await store.put(Buffer.from("fresh"));
  expect(store.has(seen.digest)).toBe(true);
  const needed = (digest: Digest) => digest === wanted.digest;
  expect(store.collect(needed)).toEqual([old]);
  hold[Symbol.dispose]();
  expect(
    store
      .collect(needed)
      .map(({ digest }) => digest)
      .sort(),
  ).toEqual([fresh.digest, seen.digest].sort());
  expect([...store.list()]).toEqual([wanted]);
});

test("killed while ingesting: nothing half-made is visible and recovery cleans up", async () => {
  const script = `
    import { FileContentStore } from ${JSON.stringify(join(import.meta.dir, "file-content-store.ts"))};
    const store = new FileContentStore(${JSON.stringify(root)});
    async function* endless() {
      for (;;) { yield Buffer.alloc(1 << 20); process.stdout.write("."); }
    }
    store.ingest(endless());`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(leftovers().length).toBe(1);
  expect([...store.list()]).toEqual([]);
  store.recover();
  expect(leftovers()).toEqual([]);
  expect(existsSync(join(root, "content", "sha256"))).toBe(true);
});

test("an interrupted ingest goes on where it was, in another process too", async () => {
  const digest = digestOf("hello world");
  {
    await using first = await store.resume("blob");
    await first.write(Buffer.from("hello "));
    await expect(store.resume("blob")).rejects.toThrow("being written already");
  }
  const later = new FileContentStore(root);
  later.recover();
  await using second = await later.resume("blob");
  expect(second.offset).toBe(6);
  await second.write(Buffer.from("world"));
  expect(await second.commit({ digest, size: 11 })).toEqual({ digest, size: 11 });
  expect(await text(digest)).toBe("hello world");
  await using third = await later.resume("blob");
  expect(third.offset).toBe(0);
});

test("an ingest that turns out wrong leaves nothing, whatever its digest's algorithm", async () => {
  const ingest = await store.resume("blob");
  await ingest.write(Buffer.from("x"));
  await expect(ingest.commit({ digest: digestOf("y") })).rejects.toThrow("not what was promised");
  expect(readdirSync(join(root, "content", "resumable"))).toEqual([]);
  const digest = new Digester("sha512").update(Buffer.from("x")).digest();
  const again = await store.resume("blob");
  await again.write(Buffer.from("x"));
  expect((await again.commit({ digest })).digest).toBe(digest);
});
