import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { cutByContent } from "./chunker.ts";
import { readMarked, withMarks } from "./marks.ts";
import type { BackupNote } from "./note.ts";
import { expired } from "./retention.ts";

const note: BackupNote = { format: 1, volume: "v", labels: { a: "b" }, taken: 1_767_225_600_000, paused: false };

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source, (bytes) => Buffer.from(bytes)));
}

describe("cutting by content", () => {
  const sizes = { least: 1 << 8, usual: 1 << 10, most: 1 << 12 };
  const digests = async (bytes: Uint8Array, piece = 1000): Promise<string[]> =>
    Array.fromAsync(cutByContent(pieces(bytes, piece), sizes), (chunk) =>
      createHash("sha256").update(chunk).digest("hex"),
    );

  test("gives back what came in, in chunks within their limits, whatever pieces it comes in", async () => {
    const bytes = randomBytes(300_000);
    const chunks = await Array.fromAsync(cutByContent(pieces(bytes, 777), sizes), (chunk) => Buffer.from(chunk));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
    const lengths = chunks.slice(0, -1).map(({ length }) => length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(sizes.least);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(sizes.most);
    expect(await digests(bytes, 1)).toEqual(await digests(bytes, 65_536));
  });

  test("bytes put in change the chunks around them only", async () => {
    const bytes = randomBytes(300_000);
    const before = new Set(await digests(bytes));
    const changed = Buffer.concat([bytes.subarray(0, 150_000), Buffer.from("some bytes"), bytes.subarray(150_000)]);
    const fresh = (await digests(changed)).filter((digest) => !before.has(digest));
    expect(fresh.length).toBeLessThan(8);
  });

  test("cuts where it always did: the format of folders depends on it", async () => {
    const bytes = Buffer.from(Array.from({ length: 40_000 }, (_, at) => ((at * at * 31 + at) >> 3) & 255));
    const lengths = await Array.fromAsync(cutByContent(pieces(bytes, 4096), sizes), ({ length }) => length);
    expect(createHash("sha256").update(lengths.join()).digest("hex").slice(0, 16)).toBe("504a9fe05861d153");
  });
});

describe("an archive with marks", () => {
  const tar = Buffer.concat([randomBytes(5 * 512), Buffer.alloc(1024)]);

  test("tells its note and gives back a tar with nothing lost", async () => {
    const marked = await collect(withMarks(note, pieces(tar, 700)));
    const read = await readMarked(pieces(marked, 333));
    expect(read.note).toEqual(note);
    const body = await collect(read.tar);
    expect(body.equals(marked)).toBe(true);
    expect(body.includes(tar.subarray(0, -1024))).toBe(true);
  });

  test("cut at any byte it is refused", async () => {
    const marked = await collect(withMarks(note, pieces(tar, 700)));
    for (let length = 0; length < marked.length; length++) {
      const reading = readMarked(pieces(marked.subarray(0, length), 600)).then(({ tar }) => collect(tar));
      await expect(reading).rejects.toMatchObject({ kind: "data-loss" });
    }
  });

  test("changed anywhere it is refused", async () => {
    const marked = await collect(withMarks(note, pieces(tar, 700)));
    for (let at = 1024; at < marked.length; at += 97) {
      const changed = Buffer.from(marked);
      changed[at] = (changed[at] ?? 0) ^ 1;
      const reading = readMarked(pieces(changed, 600)).then(({ tar }) => collect(tar));
      await expect(reading).rejects.toMatchObject({ kind: "data-loss" });
    }
  });

  test.each([
    ["a tar like any", Buffer.concat([Buffer.alloc(257), Buffer.from("ustar\x0000"), Buffer.alloc(1000)])],
    ["noise", randomBytes(4000)],
  ])("%s is none", async (_, bytes) => {
    await expect(readMarked(pieces(bytes, 512))).rejects.toMatchObject({ kind: "invalid-argument" });
  });
});

describe("retention", () => {
  const HOUR = 3_600_000;
  const START = Date.parse("2026-03-02T00:00:00Z"); // a Monday
  const backups = (count: number, step: number) =>
    Array.from({ length: count }, (_, at) => ({ id: String(at), note: { taken: START + at * step } }));
  const kept = (all: ReturnType<typeof backups>, rules: object) => {
    const gone = new Set(expired(all, rules));
    return all.filter(({ id }) => !gone.has(id)).map(({ id }) => Number(id));
  };

  test("without rules everything stays", () => {
    expect(expired(backups(5, HOUR), {})).toEqual([]);
  });
  test("the newest ones", () => {
    expect(kept(backups(5, HOUR), { last: 2 })).toEqual([3, 4]);
  });
  test("the newest of each day, of as many days as there are backups of", () => {
    expect(kept(backups(72, HOUR), { daily: 2 })).toEqual([47, 71]);
  });
  test("rules add up", () => {
    expect(kept(backups(21, 24 * HOUR), { last: 1, weekly: 2, monthly: 1 })).toEqual([13, 20]);
  });
});
