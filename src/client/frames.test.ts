import { expect, test } from "bun:test";
import { FrameReader } from "./frames.ts";

function frame(type: number, text: string): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(Buffer.byteLength(text), 4);
  return Buffer.concat([header, Buffer.from(text)]);
}

test.each([1, 3, 8, 9, 500])("takes frames apart that come in pieces of %i bytes", (size) => {
  const got: Record<string, string> = { stdout: "", stderr: "" };
  const reader = new FrameReader((stream, data) => {
    got[stream] += Buffer.from(data).toString();
  });
  const bytes = Buffer.concat([frame(1, "one "), frame(2, "err"), frame(1, ""), frame(1, "two")]);
  for (let at = 0; at < bytes.byteLength; at += size) reader.push(bytes.subarray(at, at + size));
  expect(got).toEqual({ stdout: "one two", stderr: "err" });
});

test("refuses a stream that is not framed", () => {
  const reader = new FrameReader(() => {});
  expect(() => reader.push(Buffer.from("plain text here"))).toThrow("Unrecognized input header: 112");
});
