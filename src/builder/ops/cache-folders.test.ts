import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId, systemClock } from "../../base/mod.ts";
import { packTree } from "../../snapshots/mod.ts";
import { CacheFolders, type CacheRequest } from "./cache-folders.ts";

let root: string;
let caches: CacheFolders;
const never = new AbortController().signal;
const OWN = { mode: 0o755, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
const ask = (sharing: CacheRequest["sharing"], id = "c", signal = never) =>
  caches.take({ id, sharing, ...OWN }, async () => undefined, signal);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "havre-caches-"));
  caches = new CacheFolders(join(root, "caches"), systemClock, newId);
});
afterEach(() => rmSync(root, { recursive: true }));

test("a shared cache is one for all, a private one each has for itself and leaves to the next", async () => {
  const [one, two] = [await ask("shared"), await ask("shared")];
  expect(one.path).toBe(two.path);
  expect((await ask("shared", "../other")).path).not.toBe(one.path);
  const [mine, yours] = [await ask("private", "p"), await ask("private", "p")];
  expect(mine.path).not.toBe(yours.path);
  mine[Symbol.dispose]();
  expect((await ask("private", "p")).path).toBe(mine.path);
});

test("a locked cache is given to one after the other; who gives up waiting is not given it", async () => {
  const first = await ask("locked");
  const control = new AbortController();
  const impatient = ask("locked", "c", control.signal);
  const patient = ask("locked");
  control.abort();
  await expect(impatient).rejects.toThrow();
  let given = false;
  const taken = patient.then((lease) => {
    given = true;
    return lease;
  });
  await Promise.resolve();
  expect(given).toBe(false);
  first[Symbol.dispose]();
  expect((await taken).path).toBe(first.path);
});

test("what is in use is not removed; what is removed is gone, and begins anew", async () => {
  const lease = await ask("shared");
  writeFileSync(join(lease.path, "f"), "1");
  const [{ name = "", inUse } = {}] = caches.list();
  expect(inUse).toBe(true);
  expect(caches.remove(name)).toBe(false);
  lease[Symbol.dispose]();
  expect(readFileSync(join((await ask("shared")).path, "f"), "utf8")).toBe("1");
  const other = new CacheFolders(join(root, "caches"), systemClock, newId);
  expect(other.remove(name)).toBe(true);
  expect(other.list()).toEqual([]);
  expect(existsSync(lease.path)).toBe(false);
});

test("a seed is what a new cache begins with; one that was half-made goes at the next start", async () => {
  const seed = join(root, "seed");
  mkdirSync(join(seed, "d"), { recursive: true });
  writeFileSync(join(seed, "d/f"), "seeded");
  const lease = await caches.take(
    { id: "s", sharing: "shared", ...OWN },
    async () => packTree(seed, "/.", never),
    never,
  );
  expect(readFileSync(join(lease.path, "d/f"), "utf8")).toBe("seeded");
  mkdirSync(join(root, "caches/half/data"), { recursive: true });
  caches.recover();
  expect(existsSync(join(root, "caches/half"))).toBe(false);
  expect(caches.list()).toHaveLength(1);
});
