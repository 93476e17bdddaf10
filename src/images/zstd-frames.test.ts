import { expect, test } from "bun:test";
import { zstdCompressSync } from "node:zlib";
import { ZstdFrames } from "./zstd-frames.ts";

const skippable = Buffer.from([0x51, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
const random = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7919 + (at >> 3)) & 0xff));
const STREAMS: readonly (readonly [name: string, frames: readonly Buffer[]])[] = [
  ["one frame", [zstdCompressSync(random)]],
  ["empty", [zstdCompressSync(Buffer.alloc(0))]],
  ["runs", [zstdCompressSync(Buffer.alloc(1 << 20))]],
  ["several, with one to skip", [skippable, zstdCompressSync(Buffer.from("abc")), skippable, zstdCompressSync(random)]],
];

test.each(STREAMS)("%s: complete exactly at the end of each frame", (_, frames) => {
  const ends = new Set<number>();
  let length = 0;
  for (const frame of frames) {
    length += frame.length;
    ends.add(length);
  }
  const stream = Buffer.concat(frames);
  const reader = new ZstdFrames();
  const complete: number[] = [];
  for (let at = 0; at < stream.length; at++) {
    reader.write(stream.subarray(at, at + 1));
    if (reader.complete) complete.push(at + 1);
  }
  expect(complete).toEqual([...ends]);
  const whole = new ZstdFrames();
  whole.write(stream);
  expect(whole.complete).toBe(true);
});
