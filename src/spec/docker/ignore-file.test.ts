import { expect, test } from "bun:test";
import { IgnoreMatcher, readIgnoreFile } from "./ignore-file.ts";

test.each([
  ["a", "a", true],
  ["a", "a/b/c", true],
  ["a", "b/a", false],
  ["a/b", "a", false],
  ["*", "x/y", true],
  ["*.md", "README.md", true],
  ["*.md", "docs/README.md", false],
  ["**/*.md", "README.md", true],
  ["**/*.md", "a/b/README.md", true],
  ["**.md", "a/README.md", true],
  ["**/tmp", "tmp", true],
  ["**/tmp", "a/tmp/x", true],
  ["**/tmp", "a/xtmp", false],
  ["dir/**", "dir", false],
  ["dir/**", "dir/a/b", true],
  ["a/**/z", "a/z", true],
  ["a/**/z", "a/b/c/z", true],
  ["a/**/z", "a/bz", false],
  ["**/*", "a", true],
  ["?", "ab", false],
  ["?", "☺", true],
  ["f[0-9].txt", "f3.txt", true],
  ["f[^0-9].txt", "f3.txt", false],
  ["a\\*b", "a*b", true],
  ["a\\*b", "axb", false],
  ["a.b+(c)|{d}$", "a.b+(c)|{d}$", true],
  ["a.b", "axb", false],
  ["./a/../b/", "b", true],
])("%s against %s: %p", (pattern, path, expected) => {
  expect(new IgnoreMatcher([pattern]).ignores(path)).toBe(expected);
});

test.each([
  [["*", "!keep"], "keep/x", false],
  [["*", "!keep"], "other", true],
  [["*", "!keep", "keep/secret"], "keep/secret", true],
  [["*.md", "!README*.md", "README-secret.md"], "README-secret.md", true],
  [["*.md", "README-secret.md", "!README*.md"], "README-secret.md", false],
  [["!a"], "a", false],
])("%j against %s: %p", (patterns, path, expected) => {
  const matcher = new IgnoreMatcher(patterns);
  expect(matcher.ignores(path)).toBe(expected);
  expect(matcher.hasExceptions).toBe(patterns.some((pattern) => pattern.startsWith("!")));
});

test("folder by folder the answer is the same", () => {
  const matcher = new IgnoreMatcher(["*", "!a/b", "**/c", "!a/b/c/d"]);
  const path = ["a", "b", "c", "d", "e"];
  let parent: readonly boolean[] | undefined;
  path.forEach((_, index) => {
    const prefix = path.slice(0, index + 1).join("/");
    const { ignored, match } = matcher.ignoresBelow(prefix, parent);
    expect([prefix, ignored]).toEqual([prefix, matcher.ignores(prefix)]);
    parent = match;
  });
});

test.each(["[", "[]a]", "[x-]", "a[", "\\", "!"])("%s is no pattern", (pattern) => {
  expect(() => new IgnoreMatcher([pattern])).toThrow();
});

test("comments, blanks and places are taken off the lines", () => {
  const text = "\uFEFF# no\n\n  a/./b/ \n/abs\n! /kept/../x\n #odd\n/\n!\n";
  expect(readIgnoreFile(text)).toEqual(["a/b", "abs", "!x", "#odd", "/", "!"]);
});

test("no pattern is slow", () => {
  const matcher = new IgnoreMatcher([`${"**/a*".repeat(30)}b`]);
  expect(matcher.ignores("a/".repeat(2000))).toBeFalse();
});
