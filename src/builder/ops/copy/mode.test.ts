import { expect, test } from "bun:test";
import { parseMode } from "./mode.ts";

test.each([
  ["755", 0o644, false, 0o755],
  ["4711", 0, false, 0o4711],
  ["u=rwX,go=rX", 0o600, false, 0o644],
  ["u=rwX,go=rX", 0o600, true, 0o755],
  ["u=rwX,go=rX", 0o700, false, 0o755],
  ["+x", 0o644, false, 0o755],
  ["a-w", 0o666, false, 0o444],
  ["go-rwx,u+s", 0o755, false, 0o4700],
  ["g=u", 0o640, false, 0o660],
  ["o+t", 0o777, true, 0o1777],
])("%s makes of %o (folder: %p) %o", (text, mode, isFolder, expected) => {
  expect(parseMode(text)(mode, isFolder).toString(8)).toBe(expected.toString(8));
});

test.each(["", "8", "999", "77777", "u", "rwx", "u=rwz", "x+r"])("%p is refused", (text) => {
  expect(() => parseMode(text)).toThrow(`invalid chmod parameter: '${text}'`);
});
