import { expect, test } from "bun:test";
import { logsKeep } from "./retention.ts";

const keep = (text: string) => logsKeep({ "havre.logs.keep": text });

test("days, Go's durations, nothing", () => {
  expect(logsKeep({})).toBeUndefined();
  expect(keep("30d")).toBe(30 * 86_400_000);
  expect(keep("1h30m")).toBe(5_400_000);
  expect(keep("0")).toBe(0);
});

test.each(["", "soon", "-1h", "1.5d"])("%p is refused with the label's name", (text) => {
  expect(() => keep(text)).toThrow(`Label havre.logs.keep=${text} is no time to keep a log for`);
});
