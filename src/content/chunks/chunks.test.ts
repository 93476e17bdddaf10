import { describe, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import { digestOf } from "../../base/mod.ts";
import { firstChunk, LONGEST_CHUNK } from "./boundaries.ts";
import { encodeRecipe, undelta } from "./delta.ts";
import { KnownChunks } from "./known-chunks.ts";
import { recipeOf, reusedBytes } from "./recipe.ts";
import { type Chunk, chunkName, encodeTable, readTable } from "./table.ts";

function* cut(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; ) {
    const length = firstChunk(bytes.subarray(at));
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Bytes that are the same each time, and of no pattern. */
function noise(length: number, seed = "seed"): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < length; at += 32) parts.push(createHash("sha256").update(`${seed} ${at}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

const chunkOf = (bytes: Uint8Array): Chunk => ({ length: bytes.length, name: chunkName(bytes) });
const reader = (bytes: Uint8Array) => (start: number, end: number) => Promise.resolve(bytes.subarray(start, end));

/** Cut, each chunk compressed by itself, with the table. */
function blobOf(plain: Uint8Array): Buffer {
  const members = [...cut(plain)].map((chunk) => gzipSync(chunk));
  return Buffer.concat([...members, encodeTable(members.map(chunkOf))]);
}

describe("boundaries", () => {
  test("a line that comes in changes the chunk it is in, and those beside it at most", () => {
    const before = noise(8 << 20);
    const after = Buffer.concat([before.subarray(0, 3_000_000), Buffer.from("one line\n"), before.subarray(3_000_000)]);
    const known = new Set([...cut(before)].map(chunkName));
    const fresh = [...cut(after)].filter((chunk) => !known.has(chunkName(chunk)));
    expect(known.size).toBeGreaterThan(20);
    expect(fresh.length).toBeGreaterThan(0);
    expect(fresh.length).toBeLessThan(4);
  });

  test("chunks are neither tiny nor without end, and all bytes are in one", () => {
    const bytes = Buffer.concat([noise(3 << 20), Buffer.alloc(5 << 20)]);
    const lengths = [...cut(bytes)].map(({ length }) => length);
    expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(bytes.length);
    expect(Math.max(...lengths)).toBeLessThanOrEqual(LONGEST_CHUNK);
    expect(Math.min(...lengths.slice(0, -1))).toBeGreaterThan(128 * 1024);
  });
});

describe("table", () => {
  test.each([0, 1, 7, 4000])("of %p chunks is read back, and is nothing to a reader of gzip", async (count) => {
    const members = Array.from({ length: count }, (_, at) => gzipSync(`member ${at}`));
    const blob = Buffer.concat([...members, encodeTable(members.map(chunkOf))]);
    expect(await readTable(blob.length, reader(blob))).toEqual(members.map(chunkOf));
    expect(gunzipSync(blob).toString()).toBe(members.map((_, at) => `member ${at}`).join(""));
  });

  test("what is no table, or not of this blob, is none", async () => {
    const blob = blobOf(noise(600_000));
    const read = (bytes: Uint8Array) => readTable(bytes.length, reader(bytes));
    expect(await read(blob)).toBeDefined();
    expect(await read(blob.subarray(0, -1))).toBeUndefined();
    expect(await read(blob.subarray(1))).toBeUndefined();
    expect(await read(gzipSync("foreign"))).toBeUndefined();
    expect(await read(Buffer.alloc(0))).toBeUndefined();
    const table = encodeTable([...cut(noise(600_000))].map((chunk) => chunkOf(gzipSync(chunk))));
    // A flipped byte may be a flipped name, which is one nobody has; what must not happen is nonsense or an exception.
    for (let at = 0; at < table.length; at++) {
      const damaged = Buffer.from(blob);
      damaged[blob.length - table.length + at] = (damaged[blob.length - table.length + at] ?? 0) ^ 0x41;
      const chunks = await read(damaged);
      if (chunks) expect(chunks.reduce((sum, { length }) => sum + length, 0)).toBe(blob.length - table.length);
    }
  });
});

describe("delta", () => {
  const plain = noise(4 << 20);
  const before = blobOf(plain);
  const after = blobOf(Buffer.concat([plain.subarray(0, 1_500_000), Buffer.from("x"), plain.subarray(1_500_000)]));
  const digest = digestOf(before);
  const there = async function* ({ offset }: { readonly offset: number }, length: number) {
    yield before.subarray(offset, offset + length);
  };
  async function* pieces(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  }
  async function all(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
    return Buffer.concat(await Array.fromAsync(stream));
  }

  test("moves what changed, and gives the blob back", async () => {
    const known = new KnownChunks();
    known.add(digest, (await readTable(before.length, reader(before))) ?? []);
    const chunks = (await readTable(after.length, reader(after))) ?? [];
    const parts = recipeOf(after.length, chunks, (name) => known.find(name));
    const missing: Uint8Array[] = [encodeRecipe(parts)];
    let at = 0;
    for (const { length, from } of parts) {
      if (!from) missing.push(after.subarray(at, at + length));
      at += length;
    }
    const sent = Buffer.concat(missing);
    expect(reusedBytes(parts)).toBeGreaterThan(after.length / 2);
    expect(sent.length).toBeLessThan(after.length - reusedBytes(parts) + 1000);
    const asked = new Set<string>();
    const check = (digests: ReadonlySet<string>) => {
      for (const one of digests) asked.add(one);
    };
    for (const size of [997, 5000, sent.length]) {
      const back = await all(undelta(pieces(sent, size), check, there));
      expect(digestOf(back)).toBe(digestOf(after));
    }
    expect([...asked]).toEqual([digest]);
  });

  const framed = (json: string, rest = "") => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(json.length);
    return Buffer.concat([head, Buffer.from(json), Buffer.from(rest)]);
  };
  test.each([
    ["nothing", Buffer.alloc(0)],
    ["a recipe without end", Buffer.alloc(4, 0xff)],
    ["no JSON", framed("nonsense")],
    ["no list", framed("{}")],
    ["a negative length", framed("[[-1]]")],
    ["a part of nothing", framed("[[0]]")],
    ["a fraction", framed("[[1.5]]")],
    ["no digest", framed('[[5,"../etc/passwd",0]]')],
    ["no offset", framed(`[[5,"${digest}"]]`)],
    ["too little", framed("[[5]]", "four")],
    ["too much", framed("[[5]]", "six666")],
  ])("with %s is refused", async (_, bytes) => {
    await expect(all(undelta(pieces(bytes, 100), () => {}, there))).rejects.toMatchObject({ kind: "invalid-argument" });
  });

  test("random bytes are refused, too", async () => {
    for (let round = 0; round < 200; round++) {
      const bytes = Buffer.concat([Buffer.of(0, 0, 0, round), randomBytes(round)]);
      await expect(all(undelta(pieces(bytes, 10), () => {}, there))).rejects.toMatchObject({
        kind: "invalid-argument",
      });
    }
  });
});
