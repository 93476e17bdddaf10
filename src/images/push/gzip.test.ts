import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { decompress } from "../compression.ts";
import { bytesOf, streamOf } from "../testing/workshop.ts";
import { Gzip } from "./gzip.ts";

function fileOf(bytes: Uint8Array): Disposable & { readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "havre-gzip-"));
  const path = join(folder, "layer");
  writeFileSync(path, bytes);
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test.each([0, 1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 9_500_000])(
  "%p bytes come back, the same each time",
  async (size) => {
    const bytes = Buffer.concat([randomBytes(Math.floor(size / 2)), Buffer.alloc(Math.ceil(size / 2), "text ")]);
    using file = fileOf(bytes);
    const gzip = new Gzip();
    const seen: number[] = [];
    const [first, second, third] = await Promise.all([
      bytesOf(gzip.file(file.path, size, (current) => seen.push(current))),
      bytesOf(gzip.file(file.path, size, () => {})),
      bytesOf(gzip.stream(streamOf(bytes, 70_001))),
    ]);
    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(gunzipSync(first).equals(bytes)).toBe(true);
    expect(Buffer.from(await bytesOf(decompress(streamOf(first, 512)))).equals(bytes)).toBe(true);
    expect(seen.at(-1)).toBe(size);
  },
);

test("a file that is shorter than it was said to be fails, and the next one does not", async () => {
  using file = fileOf(randomBytes(2 << 20));
  const gzip = new Gzip();
  await expect(bytesOf(gzip.file(file.path, 5 << 20, () => {}))).rejects.toMatchObject({ kind: "data-loss" });
  const whole = await bytesOf(gzip.file(file.path, 2 << 20, () => {}));
  expect(gunzipSync(whole).byteLength).toBe(2 << 20);
});

test("who stops reading leaves nothing behind for the next", async () => {
  using file = fileOf(Buffer.alloc(20 << 20, "text "));
  const gzip = new Gzip();
  for await (const _ of gzip.file(file.path, 20 << 20, () => {})) break;
  expect(gunzipSync(await bytesOf(gzip.file(file.path, 3 << 20, () => {}))).byteLength).toBe(3 << 20);
});

test("a failing source fails the compression", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield randomBytes(3 << 20);
    throw new Error("disk gone");
  }
  await expect(bytesOf(new Gzip().stream(broken()))).rejects.toThrow("disk gone");
});
