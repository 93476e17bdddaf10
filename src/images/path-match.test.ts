import { expect, test } from "bun:test";
import { pathMatcher } from "./path-match.ts";

const CASES: readonly (readonly [pattern: string, name: string, fits: boolean])[] = [
  ["abc", "abc", true],
  ["*", "abc", true],
  ["*c", "abc", true],
  ["a*", "ab/c", false],
  ["a*/b", "abc/b", true],
  ["a*/b", "a/c/b", false],
  ["a*b*c*d*e*/f", "axbxcxdxexxx/f", true],
  ["a*b?c*x", "abxbbxdbxebxczzx", true],
  ["ab[c]", "abc", true],
  ["ab[b-d]", "abc", true],
  ["ab[e-g]", "abc", false],
  ["ab[^c]", "abc", false],
  ["ab[^e-g]", "abc", true],
  ["a\\*b", "a*b", true],
  ["a\\*b", "ab", false],
  ["a?b", "a☺b", true],
  ["a[^a]b", "a☺b", true],
  ["a???b", "a☺b", false],
  ["[a-ζ]*", "α", true],
  ["a?b", "a/b", false],
  ["[\\]a]", "]", true],
  ["[x\\-]", "-", true],
  ["[b-a]", "a", false],
  ["debian:1*", "debian:12", true],
  ["*/*:*", "ghcr.io/x:1", true],
];

test.each(CASES)("%s on %s", (pattern, name, fits) => {
  expect(pathMatcher(pattern)(name)).toBe(fits);
});

test.each(["[]a]", "[-]", "[x-]", "[-x]", "a[", "[a-b-c]", "[a", "\\", "[^bc"])("%s is malformed", (pattern) => {
  expect(() => pathMatcher(pattern)).toThrow("syntax error in pattern");
});

test("many stars do not explode", () => {
  expect(pathMatcher(`${"*a".repeat(60)}b`)("a".repeat(200))).toBe(false);
});
