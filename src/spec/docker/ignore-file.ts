import { posix } from "node:path";
import { HavreError } from "../../base/mod.ts";
import { readPatternClass } from "./pattern-class.ts";

/**
 * The patterns of a `.dockerignore` (Docker build, § .dockerignore file): comments and blank lines dropped, paths cleaned and relative to the
 * context, `!` kept in front of exceptions.
 */
export function readIgnoreFile(text: string): readonly string[] {
  return text
    .replace(/^\uFEFF/, "")
    .split("\n")
    .filter((line) => !line.startsWith("#"))
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const exception = line.startsWith("!");
      const path = exception ? line.slice(1).trim() : line;
      return (exception ? "!" : "") + (path === "" ? "" : relative(posix.normalize(path)));
    });
}

function relative(path: string): string {
  const clean = path.length > 1 ? path.replace(/\/+$/, "") : path;
  return clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
}

interface Rule {
  readonly text: string;
  readonly exception: boolean;
  /** Whether the path fits, or one of the folders above it where these count. */
  readonly fits: (path: string, above: boolean) => boolean;
}

/** What fitted the folder above, per rule: so that each folder is looked at once. */
export type ParentMatch = readonly boolean[];

/**
 * Paths against the patterns of a `.dockerignore`, the last that fits decides; what fits a folder holds for all in it. As Docker's
 * patternmatcher has it. Time is bounded by pattern × path. `invalid-argument` with Docker's texts for a malformed pattern.
 */
export class IgnoreMatcher {
  readonly #rules: readonly Rule[];

  constructor(patterns: readonly string[]) {
    this.#rules = patterns
      .map((pattern) => pattern.trim())
      .filter((pattern) => pattern !== "")
      .map(parseRule);
  }

  /** Some patterns take back what others leave out: a folder that is left out must be looked into. */
  get hasExceptions(): boolean {
    return this.#rules.some(({ exception }) => exception);
  }

  /** The patterns without those that take back. */
  get patterns(): readonly string[] {
    return this.#rules.filter(({ exception }) => !exception).map(({ text }) => text);
  }

  /** Whether `path`, relative and with slashes, or a folder above it is left out. */
  ignores(path: string): boolean {
    return this.ignoresBelow(path).ignored;
  }

  /** The same, where the answer for the folder above is known. */
  ignoresBelow(path: string, parent?: ParentMatch): { readonly ignored: boolean; readonly match: ParentMatch } {
    let ignored = false;
    const match = this.#rules.map((rule, index) => {
      let fits = parent?.[index] ?? false;
      if (!fits && rule.exception !== ignored) return false;
      fits ||= rule.fits(path, parent === undefined);
      if (fits) ignored = !rule.exception;
      return fits;
    });
    return { ignored, match };
  }
}

function foldersAbove(path: string): readonly string[] {
  const parts = path.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

function parseRule(pattern: string): Rule {
  const clean = cleaned(pattern);
  const exception = clean.startsWith("!");
  const text = exception ? clean.slice(1) : clean;
  if (text === "") throw new HavreError("invalid-argument", 'illegal exclusion pattern: "!"');
  return { text, exception, fits: compile(text) };
}

function cleaned(pattern: string): string {
  const path = posix.normalize(pattern);
  return path.length > 1 ? path.replace(/\/+$/, "") : path;
}

type Token =
  | { readonly kind: "one"; readonly fits: (character: string) => boolean }
  /** Any characters but a slash. */
  | { readonly kind: "star" }
  /** Any characters. */
  | { readonly kind: "all" }
  /** Nothing, or the beginning of folders. */
  | { readonly kind: "folders" }
  /** The rest of folders, up to a slash. */
  | { readonly kind: "inside" };

function compile(pattern: string): Rule["fits"] {
  // `**name` without a slash fits the end of any name, which as folders it would not.
  const tail = pattern.slice(2);
  if (pattern.startsWith("**") && !/[*?[\]\\]/.test(tail)) {
    const fits = (path: string) => path.endsWith(tail) || (tail.startsWith("/") && path === tail.slice(1));
    return (path, above) => fits(path) || (above && foldersAbove(path).some(fits));
  }
  const tokens = parse([...pattern]);
  return (path, above) => matches(tokens, path, above);
}

function parse(characters: string[]): readonly Token[] {
  const tokens: Token[] = [];
  for (let character = characters.shift(); character !== undefined; character = characters.shift()) {
    if (character === "*" && characters[0] === "*") {
      characters.shift();
      if (characters.at(0) === "/") characters.shift();
      if (characters.length === 0) tokens.push({ kind: "all" });
      else tokens.push({ kind: "folders" }, { kind: "inside" });
    } else if (character === "*") tokens.push({ kind: "star" });
    else if (character === "?") tokens.push({ kind: "one", fits: (other) => other !== "/" });
    else if (character === "[") tokens.push({ kind: "one", fits: readPatternClass(characters) });
    else {
      const wanted = character === "\\" ? characters.shift() : character;
      if (wanted === undefined) throw new HavreError("invalid-argument", "syntax error in pattern");
      tokens.push({ kind: "one", fits: (other) => other === wanted });
    }
  }
  return tokens;
}

/** All ways through the pattern at once, so that no pattern is slow. */
function matches(tokens: readonly Token[], path: string, above: boolean): boolean {
  let positions = open(tokens, new Set([0]));
  for (const character of path) {
    if (above && character === "/" && positions.has(tokens.length)) return true;
    const next = new Set<number>();
    for (const position of positions) {
      for (const target of after(tokens[position], position, character)) next.add(target);
    }
    if (next.size === 0) return false;
    positions = open(tokens, next);
  }
  return positions.has(tokens.length);
}

function after(token: Token | undefined, position: number, character: string): readonly number[] {
  switch (token?.kind) {
    case "one":
      return token.fits(character) ? [position + 1] : [];
    case "star":
      return character === "/" ? [] : [position];
    case "all":
      return [position];
    case "folders":
      return character === "/" ? [position + 1, position + 2] : [position + 1];
    case "inside":
      return character === "/" ? [position, position + 1] : [position];
    default:
      return [];
  }
}

/** Where a token may also stand for nothing. */
function open(tokens: readonly Token[], positions: Set<number>): Set<number> {
  for (const position of positions) {
    const kind = tokens[position]?.kind;
    if (kind === "star" || kind === "all") positions.add(position + 1);
    else if (kind === "folders") positions.add(position + 2);
  }
  return positions;
}
