import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expandWord, type WordOptions } from "./words.ts";

const VALUES: Readonly<Record<string, string>> = {
  A: "one",
  EMPTY: "",
  TWO: "b  c",
  PATH: "/usr/bin:/usr/local/bin",
  LINES: "x\ny",
  DEEP: "aXbXc",
};
const variables = { get: (name: string) => VALUES[name] };

function expand(word: string, options: Partial<WordOptions> = {}): string {
  return expandWord(word, variables, { escape: "\\", ...options }).text;
}

const CASES = readFileSync(resolve(import.meta.dirname, "cases/words.txt"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => line.replaceAll("⏎", "\n"));

test.each(CASES)("%s", (line) => {
  const [word = "", message] = line.split(" ✗ ");
  if (message !== undefined)
    expect(() => expand(word)).toThrow(`failed to process ${JSON.stringify(word)}: ${message}`);
  else {
    const arrow = line.lastIndexOf(" →");
    expect(expand(line.slice(0, arrow))).toBe(line.slice(arrow + 3));
  }
});

test.each([
  ["a b", ["a", "b"]],
  ["$TWO", ["b", "c"]],
  ['"$TWO"x y', ["b  cx", "y"]],
  ["a\\ b", ["a b"]],
  ["cat << EOF", ["cat", "<< EOF"]],
  [`\${NO:-x}a`, ["xa"]],
  [`a\${NO:-x}`, ["ax"]],
])("%s falls into words %j", (text, words) => {
  expect(expandWord(text, variables, { escape: "\\" }).words).toEqual(words);
});

test("options keep quotes, escapes and what is unset", () => {
  expect(expand(`'a' "b" \\c $NO \${NO:-x} $A`, { rawQuotes: true, rawEscapes: true, keepUnset: true })).toBe(
    `'a' "b" \\c $NO \${NO:-x} one`,
  );
  expect(expand("'$A' \"$A\"", { literalQuotes: true })).toBe("'one' \"one\"");
  expect(expand("a`$A\\b", { escape: "`" })).toBe("a$A\\b");
});

test("it is told which variables had a value", () => {
  const { matched, unmatched } = expandWord(`$A $NO \${B:-$C}`, variables, { escape: "\\" });
  expect([...matched]).toEqual(["A"]);
  expect([...unmatched].toSorted()).toEqual(["B", "C", "NO"]);
});

test("what would grow or nest without end is refused", () => {
  const big = { get: () => "x".repeat(1000) };
  expect(() => expandWord("$x".repeat(2000), big, { escape: "\\" })).toThrow("expands to more than");
  expect(() => expandWord(`\${x//x/yyyyyyyyyyyy}`.repeat(200), big, { escape: "\\" })).toThrow("expands to more than");
  expect(() => expand(`\${A:-`.repeat(1000) + "}".repeat(1000))).toThrow("nested too deeply");
});

test("patterns cost no more than pattern × value", () => {
  const long = { get: () => "a".repeat(20_000) };
  const word = `\${x##${"*a".repeat(20)}b}\${x/${"*a".repeat(20)}b/}\${x//a*b/}`;
  expect(expandWord(word, long, { escape: "\\" }).text).toHaveLength(60_000);
});
