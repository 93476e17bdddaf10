import { DockerfileError } from "./errors.ts";
import type { JoinedLine } from "./joined-line.ts";
import { isSpace, type SourceFile, type Word } from "./source.ts";
import type { Pair } from "./tree.ts";

/** The rest of a line behind the instruction's name and flags. */
export interface Rest {
  readonly file: SourceFile;
  readonly line: JoinedLine;
  readonly start: number;
  readonly end: number;
  readonly escape: string;
}

const BLANKS = /[\t\v\f\r ]+/g;

function textOf({ line, start, end }: Rest): string {
  return line.text.slice(start, end);
}

/** The rest as one text. */
export function asText(rest: Rest): readonly Word[] {
  return rest.start < rest.end ? [rest.line.word(rest.start, rest.end)] : [];
}

/** Words between blanks; quotes mean nothing. */
export function asBlankSeparated(rest: Rest): readonly Word[] {
  if (rest.start >= rest.end) return [];
  const words: Word[] = [];
  let start = rest.start;
  for (const match of textOf(rest).matchAll(BLANKS)) {
    words.push(rest.line.word(start, rest.start + match.index));
    start = rest.start + match.index + match[0].length;
  }
  return [...words, rest.line.word(start, rest.end)];
}

/** The strings of a JSON array, or undefined when it is none. `invalid-argument` when it holds anything but strings. */
export function asJson(rest: Rest): readonly Word[] | undefined {
  const text = textOf(rest);
  if (!/^\s*\[/.test(text)) return undefined;
  let values: unknown;
  try {
    values = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(values)) return undefined;
  if (!values.every((value) => typeof value === "string")) {
    const message = "when using JSON array syntax, arrays must be comprised of strings only";
    throw new DockerfileError(message, rest.file, rest.line.range(rest.start, rest.end), {
      expected: `["word", "word"]`,
    });
  }
  const literals = [...text.matchAll(/"(?:[^"\\]|\\.)*"/g)];
  return values.map((value: string, index) => {
    const at = rest.start + (literals[index]?.index ?? 0);
    return rest.line.word(at, at + (literals[index]?.[0].length ?? 0), value);
  });
}

/** Words between spaces; quotes hold a word together and stay in it. An escape at the very end is dropped. */
export function asQuotedWords(rest: Rest): readonly Word[] {
  const { line, end, escape: sign } = rest;
  const text = line.text;
  const words: Word[] = [];
  let at = rest.start;
  while (at < end) {
    if (isSpace(text[at])) {
      at++;
      continue;
    }
    const start = at;
    let word = "";
    let quote: string | undefined;
    for (; at < end && (quote !== undefined || !isSpace(text[at])); at++) {
      const character = text[at] ?? "";
      if (character === sign && quote !== "'") {
        if (at + 1 === end) break;
        word += character + (text[++at] ?? "");
      } else {
        if (quote === undefined && (character === "'" || character === '"')) quote = character;
        else if (character === quote) quote = undefined;
        word += character;
      }
    }
    words.push(line.word(start, at, word));
    if (at < end && text[at] === sign) at++;
  }
  return words.filter(({ text: word }) => word !== "");
}

/** `NAME=value …`, or `NAME value` to the end of the line. `invalid-argument` when neither. */
export function asPairs(rest: Rest, instruction: string): readonly Pair[] {
  const words = asQuotedWords(rest);
  const first = words[0];
  if (first === undefined) return [];
  if (!first.text.includes("=")) return [legacyPair(rest, instruction)];
  return words.map((word) => {
    const equals = word.text.indexOf("=");
    if (equals < 0) {
      const message = `Syntax error - can't find = in ${JSON.stringify(word.text)}. Must be of the form: name=value`;
      throw new DockerfileError(message, rest.file, word.range, { expected: "name=value" });
    }
    const { start, end } = word.range;
    const cut = { line: start.line, column: start.column + equals };
    const behind = { line: start.line, column: cut.column + 1 };
    return {
      key: { text: word.text.slice(0, equals), range: { start, end: cut } },
      value: { text: word.text.slice(equals + 1), range: { start: behind, end } },
      legacy: false,
    };
  });
}

function legacyPair(rest: Rest, instruction: string): Pair {
  const text = textOf(rest);
  const blank = /[\t\v\f\r ]+/.exec(text);
  if (blank === null) {
    const range = rest.line.range(rest.start, rest.end);
    throw new DockerfileError(`${instruction} must have two arguments`, rest.file, range, { expected: "name=value" });
  }
  const at = rest.start + blank.index;
  return {
    key: rest.line.word(rest.start, at),
    value: rest.line.word(at + blank[0].length, rest.end),
    legacy: true,
  };
}

/** The flags at the start of the rest, quotes and escapes taken off, and what follows them. `--` alone ends them. */
export function takeFlags(rest: Rest): { readonly flags: readonly Word[]; readonly rest: Rest } {
  const { line, end, escape: sign } = rest;
  const text = line.text;
  const flags: Word[] = [];
  let at = rest.start;
  for (;;) {
    while (at < end && isSpace(text[at])) at++;
    if (at >= end || !text.startsWith("--", at) || at + 1 >= end) break;
    const start = at;
    let word = "";
    let quote: string | undefined;
    for (; at < end && (quote !== undefined || !isSpace(text[at])); at++) {
      const character = text[at] ?? "";
      if (character === quote) quote = undefined;
      else if (quote === undefined && (character === "'" || character === '"')) quote = character;
      else if (character !== sign) word += character;
      else if (at + 1 < end) word += text[++at] ?? "";
    }
    if (word === "--") break;
    flags.push(line.word(start, at, word));
  }
  while (at < end && isSpace(text[at])) at++;
  return { flags, rest: { ...rest, start: at } };
}
