import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { bytesOf, streamOf } from "../testing/workshop.ts";
import { parallelGzip } from "./parallel-gzip.ts";

test.each([0, 1, 1000, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3_500_000])(
  "%p bytes come back from one gzip member",
  async (size) => {
    const bytes = Buffer.concat([randomBytes(Math.floor(size / 2)), Buffer.alloc(Math.ceil(size / 2), "text ")]);
    const compressed = await bytesOf(parallelGzip(streamOf(bytes, 70_001)));
    expect(gunzipSync(compressed).equals(bytes)).toBe(true);
    expect(await bytesOf(parallelGzip(streamOf(bytes, 512)))).toEqual(compressed);
  },
);

test("a failing source fails the compression", async () => {
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield randomBytes(3 << 20);
    throw new Error("disk gone");
  }
  await expect(bytesOf(parallelGzip(broken()))).rejects.toThrow("disk gone");
});
