import { expect, test } from "bun:test";
import { frame, frameLines } from "./stdcopy.ts";

function frames(bytes: Uint8Array): readonly (readonly [number, string])[] {
  const data = Buffer.from(bytes);
  const found: [number, string][] = [];
  for (let at = 0; at < data.length; ) {
    const length = data.readUInt32BE(at + 4);
    found.push([data[at] ?? 0, data.toString("utf8", at + 8, at + 8 + length)]);
    at += 8 + length;
  }
  return found;
}

test("a frame names its stream and length", () => {
  expect(frames(frame({ stream: "stderr", data: Buffer.from("a\nb") }))).toEqual([[2, "a\nb"]]);
  expect(frame({ stream: "stdout", data: new Uint8Array(70_000) }).subarray(0, 8)).toEqual(
    Buffer.from([1, 0, 0, 0, 0, 1, 0x11, 0x70]),
  );
});

test("lines that come together have a frame each", () => {
  for (const text of ["one\n", "one\ntwo\n", "\n\n", "one\ntwo", "x"]) {
    const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
    expect(frames(frameLines({ stream: "stdout", data: Buffer.from(text) }))).toEqual(lines.map((line) => [1, line]));
  }
});
