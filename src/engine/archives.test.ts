import { expect, test } from "bun:test";
import { goMode } from "./archives.ts";

test.each([
  ["folder", 0o040755, 0x8000_0000 + 0o755],
  ["file", 0o100644, 0o644],
  ["link", 0o120777, 0x0800_0000 + 0o777],
  ["setuid file", 0o104755, 0x0080_0000 + 0o755],
  ["sticky folder", 0o041777, 0x8010_0000 + 0o777],
  ["character device", 0o020666, 0x0420_0000 + 0o666],
])("a %s has Go's mode bits", (_kind, mode, expected) => {
  expect(goMode(mode)).toBe(expected);
});
