import { expect, test } from "bun:test";
import { DEFAULT_DETACH_KEYS, DetachScanner, parseDetachKeys } from "./detach-keys.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);

test("keys are control letters and plain characters", () => {
  expect(parseDetachKeys(DEFAULT_DETACH_KEYS)).toEqual(bytes(16, 17));
  expect(parseDetachKeys("ctrl-@,a,ctrl-[")).toEqual(bytes(0, 97, 27));
  for (const wrong of ["shift-a", "ctrl-A,a", ""]) {
    expect(() => parseDetachKeys(wrong)).toThrow(`Invalid detach keys (${wrong}) provided`);
  }
});

test("the keys detach, also when they come in two pieces, and are not passed on", () => {
  const scanner = new DetachScanner(bytes(16, 17));
  expect(scanner.scan(bytes(97, 16))).toEqual({ pass: bytes(97), detached: false });
  expect(scanner.scan(bytes(17, 98))).toEqual({ pass: bytes(), detached: true });
});

test("a beginning that comes to nothing reaches the container, repeated first keys included", () => {
  const scanner = new DetachScanner(bytes(16, 17));
  expect(scanner.scan(bytes(16, 98))).toEqual({ pass: bytes(16, 98), detached: false });
  expect(scanner.scan(bytes(16, 16, 17)).detached).toBe(true);
});

test("without keys everything passes", () => {
  expect(new DetachScanner(bytes()).scan(bytes(16, 17))).toEqual({ pass: bytes(16, 17), detached: false });
});
