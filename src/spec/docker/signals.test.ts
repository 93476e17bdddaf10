import { expect, test } from "bun:test";
import { parseSignal } from "./signals.ts";

test.each([
  ["TERM", 15],
  ["sigterm", 15],
  ["SIGKILL", 9],
  ["9", 9],
  ["RTMIN", 34],
  ["SIGRTMIN+3", 37],
  ["RTMAX-1", 63],
])("%s is %d", (text, number) => {
  expect(parseSignal(text)).toBe(number);
});

test.each(["", "0", "65", "NOPE", "RTMIN-1", "SIG", "-9"])("%p is refused", (text) => {
  expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});
