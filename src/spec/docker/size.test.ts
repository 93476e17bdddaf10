import { expect, test } from "bun:test";
import { parseSize } from "./size.ts";

test.each([
  ["512", 512, 512],
  ["1.5m", 1_572_864, 1_500_000],
  ["10MiB", 10 * 1024 ** 2, 10_000_000],
  ["10 k", 10_240, 10_000],
  ["1t", 1024 ** 4, 1e12],
  ["2Pb", 2 * 1024 ** 5, 2e15],
  ["0b", 0, 0],
])("%s is %i bytes of memory, %i on a disk", (text, memory, disk) => {
  expect(parseSize(text, 1024)).toBe(memory);
  expect(parseSize(text, 1000)).toBe(disk);
});

test.each(["", "abc", "10x", "-1", "1e3", ".5m", "12bb", "1  k", "k"])("%p is no size", (text) => {
  expect(parseSize(text, 1024)).toBeUndefined();
});
