import { expect, test } from "bun:test";
import { FrameReader, frame } from "./frames.ts";

test("messages come out whole whatever the pieces they came in", () => {
  const messages = ["one", "", "three".repeat(100)].map((text) => Buffer.from(text));
  const stream = Buffer.concat(messages.map(frame));
  for (const size of [1, 2, 3, 7, 100, stream.byteLength]) {
    const reader = new FrameReader();
    const found: Buffer[] = [];
    for (let at = 0; at < stream.byteLength; at += size) {
      reader.push(stream.subarray(at, at + size));
      for (let next = reader.next(); next; next = reader.next()) found.push(next);
    }
    expect({ size, found: found.map(String) }).toEqual({ size, found: messages.map(String) });
  }
});

test("what came in may be overwritten afterwards", () => {
  const reader = new FrameReader();
  const bytes = frame(Buffer.from("kept"));
  reader.push(bytes);
  bytes.fill(0);
  expect(String(reader.next())).toBe("kept");
  expect(reader.next()).toBeUndefined();
});
