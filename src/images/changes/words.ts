import { HavreError } from "../../base/mod.ts";

/** One instruction of a Dockerfile, its continuation lines joined. */
export interface Instruction {
  /** Upper case. */
  readonly name: string;
  readonly flags: readonly string[];
  /** What follows, as it was written. */
  readonly rest: string;
}

/** Cuts Dockerfile text into instructions: comments and empty lines dropped, lines that end in `\` joined. */
export function readInstructions(text: string): readonly Instruction[] {
  const instructions: Instruction[] = [];
  let pending: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#|$)/.test(line)) continue;
    const joined = (pending ?? "") + line;
    const unfinished = /^(.*)\\[ \t]*$/s.exec(joined);
    pending = unfinished?.[1];
    if (pending === undefined) instructions.push(readInstruction(joined));
  }
  if (pending !== undefined) instructions.push(readInstruction(pending));
  if (instructions.length === 0) throw invalid("file with no instructions");
  return instructions;
}

function readInstruction(line: string): Instruction {
  const [, name = "", afterName = ""] = /^(\S+)\s*(.*)$/s.exec(line.trim()) ?? [];
  const flags: string[] = [];
  let rest = afterName;
  for (let flag = /^--(\S*)\s*/.exec(rest); flag; flag = /^--(\S*)\s*/.exec(rest)) {
    rest = rest.slice(flag[0].length);
    if (flag[1] === "") break;
    flags.push(flag[1] ?? "");
  }
  return { name: name.toUpperCase(), flags, rest: rest.trim() };
}

/** Words apart at blanks; quotes and backslashes keep a word together and stay in it (`expand` takes them off). */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  const pattern = /(?:\\.?|"(?:\\.|[^"\\])*(?:"|\\?$)|'[^']*(?:'|$)|[^\s\\"'])+/gsu;
  for (const [word] of text.matchAll(pattern)) words.push(word.replace(/(?<!\\)((?:\\\\)*)\\$/, "$1"));
  return words;
}

/** The strings of a JSON array; undefined when the text is not one (and so is meant for the shell). */
export function parseJsonForm(text: string): string[] | undefined {
  if (!text.startsWith("[")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(value)) return undefined;
  if (!value.every((item) => typeof item === "string")) {
    throw invalid("only string elements are allowed in JSON array form");
  }
  return value;
}

/** `KEY=value …`, or the old `KEY value with blanks`. Quotes are still in. */
export function parsePairs(instruction: string, text: string): (readonly [key: string, value: string])[] {
  const words = splitWords(text);
  const first = words[0];
  if (first === undefined) throw invalid(`${instruction} requires at least one argument`);
  if (!first.includes("=")) {
    const [, key = "", value] = /^(\S+)\s+(.*)$/s.exec(text) ?? [];
    if (value === undefined) throw invalid(`${instruction} must have two arguments`);
    return [[key, value]];
  }
  return words.map((word) => {
    const equals = word.indexOf("=");
    if (equals < 0) {
      throw invalid(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`);
    }
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

export function invalid(message: string): HavreError {
  return new HavreError("invalid-argument", message);
}
