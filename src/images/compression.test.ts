import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { decompress, detectCompression } from "./compression.ts";
import { bytesOf, streamOf } from "./testing/workshop.ts";

const PLAIN = Buffer.from("the quick brown fox ".repeat(50_000));
const by = (program: string) => spawnSync(program, ["-c"], { input: PLAIN, maxBuffer: 1 << 24 }).stdout;

const FORMS: readonly (readonly [name: string, bytes: Uint8Array])[] = [
  ["none", PLAIN],
  ["gzip", gzipSync(PLAIN)],
  ["zstd", zstdCompressSync(PLAIN)],
  ["xz", by("xz")],
  ["bzip2", by("bzip2")],
];

test.each(FORMS)("%s is recognised and taken off, whatever the chunks", async (name, bytes) => {
  expect(detectCompression(bytes) as string).toBe(name);
  for (const chunk of [1 << 20, 4099]) {
    expect((await bytesOf(decompress(streamOf(bytes, chunk)))).equals(PLAIN)).toBe(true);
  }
});

test("a few bytes and nothing at all pass as they are", async () => {
  expect((await bytesOf(decompress(streamOf(Buffer.from("ab"), 1)))).toString()).toBe("ab");
  expect((await bytesOf(decompress(streamOf(Buffer.alloc(0))))).length).toBe(0);
  expect(await bytesOf(decompress(streamOf(gzipSync(PLAIN).subarray(0, 40), 1))).catch(String)).toContain("gzip");
});

test.each(FORMS.slice(1))("%s cut short or damaged is an error, not an end", async (name, bytes) => {
  await expect(bytesOf(decompress(streamOf(bytes.subarray(0, bytes.length >> 1))))).rejects.toThrow(
    `${name} stream is damaged`,
  );
  const damaged = Buffer.from(bytes);
  damaged.fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 20);
  await expect(bytesOf(decompress(streamOf(damaged)))).rejects.toThrow(`${name} stream is damaged`);
});

test.each([
  ["gzip", Buffer.concat([gzipSync("one "), gzipSync("two")])],
  ["zstd", Buffer.concat([zstdCompressSync(Buffer.from("one ")), zstdCompressSync(Buffer.from("two"))])],
] as const)("%s in several parts is one stream", async (_, bytes) => {
  expect((await bytesOf(decompress(streamOf(bytes)))).toString()).toBe("one two");
});

test("a failure of the source is that failure, and its end is asked for when the reader leaves", async () => {
  const failing = (async function* () {
    yield gzipSync(PLAIN).subarray(0, 100);
    throw new Error("the client went away");
  })();
  await expect(bytesOf(decompress(failing))).rejects.toThrow("the client went away");
  const closed = Promise.withResolvers<void>();
  const watched = (async function* () {
    try {
      for (;;) yield gzipSync(PLAIN);
    } finally {
      closed.resolve();
    }
  })();
  for await (const _ of decompress(watched)) break;
  await closed.promise;
});
