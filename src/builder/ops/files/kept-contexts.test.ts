import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, systemClock } from "../../../base/mod.ts";
import { writeTar } from "../../../snapshots/mod.ts";
import { KeptContexts } from "./kept-contexts.ts";
import type { FileSource } from "./source.ts";

const KEY = "a".repeat(64);
const never = new AbortController().signal;
let root: string;
let kept: KeptContexts;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "havre-kept-"));
  kept = new KeptContexts(root, systemClock, newId);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** Files by path: content and stamp. */
type Files = Readonly<Record<string, readonly [content: string, stamp: string]>>;

async function send(files: Files, before = () => {}) {
  const listing = Object.entries(files).map(([path, [content, stamp]]) => [path, content.length, stamp] as const);
  const { id, same } = kept.compare(KEY, listing);
  before();
  const known = new Set(same.map((index) => listing[index]?.[0]));
  const sent = Object.entries(files).filter(([path]) => !known.has(path));
  const members = sent.map(([path, [content]]) => ({
    header: { path, size: content.length },
    body: Buffer.from(content),
  }));
  const source = await kept.receive(id, writeTar(members), never);
  return { source, sent: sent.map(([path]) => path) };
}

function contentOf(source: FileSource, path: string): string {
  const file = source.stat(path);
  return file ? Buffer.concat([...source.read(file)]).toString() : "";
}

test("only what changed is sent, and all is there; who reads the one before is not disturbed", async () => {
  const first = await send({ a: ["one", "1"], "d/b": ["two", "1"] });
  expect(first.sent).toEqual(["a", "d/b"]);
  const second = await send({ a: ["ONE", "2"], "d/b": ["two", "1"], c: ["new", "1"] });
  expect(second.sent).toEqual(["a", "c"]);
  expect(["a", "d/b", "c"].map((path) => contentOf(second.source, path))).toEqual(["ONE", "two", "new"]);
  expect(contentOf(first.source, "a")).toBe("one");
  const third = await send({ c: ["new", "1"] });
  expect(third.sent).toEqual([]);
  expect(third.source.list("")).toEqual(["c"]);
  for (const { source } of [first, second, third]) source[Symbol.dispose]();
});

test("a daemon that was started again goes on with what was kept; without its contents everything is sent", async () => {
  (await send({ a: ["one", "1"] })).source[Symbol.dispose]();
  kept = new KeptContexts(root, systemClock, newId);
  const again = await send({ a: ["one", "1"], b: ["two", "1"] });
  expect(again.sent).toEqual(["b"]);
  again.source[Symbol.dispose]();
  truncateSync(join(root, KEY, "data"), 1);
  const whole = await send({ a: ["one", "1"], b: ["two", "1"] });
  expect(whole.sent).toEqual(["a", "b"]);
  whole.source[Symbol.dispose]();
});

test("what went between comparing and sending is told, and nothing is mixed", async () => {
  (await send({ a: ["one", "1"] })).source[Symbol.dispose]();
  const forgotten = () => kept.forget(Number.POSITIVE_INFINITY);
  await expect(send({ a: ["one", "1"], b: ["two", "1"] }, forgotten)).rejects.toThrow();
  expect(readdirSync(root).length).toBeLessThanOrEqual(1);
  expect(() => kept.receive("unknown", writeTar([]), never)).toThrow("not kept any more");
  expect(() => kept.compare("../..", [])).toThrow("64 hexadecimal digits");
});
