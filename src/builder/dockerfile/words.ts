import { HavreError } from "../../base/mod.ts";
import { ShellPattern } from "./shell-pattern.ts";
import { isSpace } from "./source.ts";

/** What `$name` may mean. */
export interface Variables {
  get(name: string): string | undefined;
}

export interface WordOptions {
  /** A backslash, or a backtick when the Dockerfile says so. */
  readonly escape: string;
  /** Quotes stay in the result. */
  readonly rawQuotes?: boolean;
  /** Escapes stay in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes mean nothing: the content of a here-document. */
  readonly literalQuotes?: boolean;
  /** What has no value stays as written. */
  readonly keepUnset?: boolean;
  /** UTF-16 units a result may have. */
  readonly limit?: number;
}

export interface Expansion {
  readonly text: string;
  /** The text split at spaces that are not quoted, after variables were put in. */
  readonly words: readonly string[];
  readonly matched: ReadonlySet<string>;
  readonly unmatched: ReadonlySet<string>;
}

/** No argument of a process can be longer (MAX_ARG_STRLEN is 128 KiB), and doubling variables must end somewhere. */
const LIMIT = 1024 * 1024;
/** `${a:-${b:-…}}` */
const DEEPEST = 500;
const SPECIAL = /[@*#?\-$!0]/;
const LETTER = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;

/**
 * Takes quotes and escapes off a word and puts variables in: `$name`, `${name}` and `${name…}` with `- + ?` (with or without a colon),
 * `# ## % %%`, `/` and `//` (Dockerfile reference, § Environment replacement). `invalid-argument` with BuildKit's texts for a quote or
 * brace left open, an unknown modifier, a variable that `?` demands, and a result above the limit.
 */
export function expandWord(word: string, variables: Variables, options: WordOptions): Expansion {
  const reader = new WordReader(word, variables, options);
  try {
    return reader.read();
  } catch (error) {
    if (!(error instanceof HavreError)) throw error;
    throw new HavreError("invalid-argument", `failed to process ${JSON.stringify(word)}: ${error.message}`);
  }
}

/** Collects words: spaces divide them unless they were quoted. */
class WordList {
  readonly done: string[] = [];
  #open = "";

  add(text: string): void {
    for (const character of text) {
      if (!isSpace(character)) this.#open += character;
      else this.close();
    }
  }

  addQuoted(text: string): void {
    this.#open += text;
  }

  close(): void {
    if (this.#open !== "") this.done.push(this.#open);
    this.#open = "";
  }
}

class WordReader {
  readonly #text: string;
  readonly #variables: Variables;
  readonly #options: WordOptions;
  readonly #limit: number;
  readonly #matched = new Set<string>();
  readonly #unmatched = new Set<string>();
  #at = 0;
  #depth = 0;
  #rawEscapes: boolean;

  constructor(text: string, variables: Variables, options: WordOptions) {
    this.#text = text;
    this.#variables = variables;
    this.#options = options;
    this.#limit = options.limit ?? LIMIT;
    this.#rawEscapes = options.rawEscapes ?? false;
  }

  read(): Expansion {
    const words = new WordList();
    const text = this.#until(undefined, words);
    words.close();
    return { text, words: words.done, matched: this.#matched, unmatched: this.#unmatched };
  }

  #peek(): string | undefined {
    return this.#text[this.#at];
  }

  #next(): string | undefined {
    return this.#text[this.#at++];
  }

  /** The text up to `stop`, which is read too. */
  #until(stop: string | undefined, words?: WordList): string {
    let result = "";
    for (let character = this.#peek(); character !== undefined; character = this.#peek()) {
      if (character === stop) {
        this.#at++;
        return result;
      }
      const { text, quoted } = this.#one(character);
      result += text;
      if (result.length > this.#limit) throw invalid(`expands to more than ${this.#limit} characters`);
      if (quoted) words?.addQuoted(text);
      else words?.add(text);
    }
    if (stop !== undefined) throw invalid(`unexpected end of statement while looking for matching ${stop}`);
    return result;
  }

  #one(character: string): { text: string; quoted: boolean } {
    if (character === "$") return { text: this.#variable(), quoted: false };
    if (character === "<") return { text: this.#angle(), quoted: true };
    if (!this.#options.literalQuotes) {
      if (character === "'") return { text: this.#singleQuoted(), quoted: true };
      if (character === '"') return { text: this.#doubleQuoted(), quoted: true };
    }
    this.#at++;
    if (character !== this.#options.escape) return { text: character, quoted: false };
    const kept = this.#rawEscapes ? character : "";
    return { text: kept + (this.#next() ?? ""), quoted: true };
  }

  #singleQuoted(): string {
    const start = this.#at++;
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw invalid("unexpected end of statement while looking for matching single-quote");
    this.#at = end + 1;
    return this.#options.rawQuotes ? this.#text.slice(start, end + 1) : this.#text.slice(start + 1, end);
  }

  #doubleQuoted(): string {
    const quote = this.#options.rawQuotes ? '"' : "";
    const sign = this.#options.escape;
    let result = quote;
    this.#at++;
    for (;;) {
      const character = this.#peek();
      if (character === undefined) {
        throw invalid("unexpected end of statement while looking for matching double-quote");
      }
      if (character === "$") {
        result += this.#variable();
        continue;
      }
      this.#at++;
      if (character === '"') return result + quote;
      const next = this.#peek();
      if (character !== sign) result += character;
      else {
        if (this.#rawEscapes) result += character;
        if (next === '"' || next === "$" || next === sign) result += this.#next();
        else if (next !== undefined) result += character;
      }
    }
  }

  /** `<<` with the spaces behind it stays in one word with the name that follows. */
  #angle(): string {
    const start = this.#at++;
    if (this.#peek() === "<") {
      this.#at++;
      while (/[\t\r ]/.test(this.#peek() ?? "")) this.#at++;
    }
    return this.#text.slice(start, this.#at);
  }

  #variable(): string {
    const start = this.#at++;
    if (this.#peek() === "{") return this.#braces(start);
    const name = this.#name();
    if (name === "") return "$";
    return this.#value(name) ?? (this.#options.keepUnset ? `$${name}` : "");
  }

  #braces(start: number): string {
    if (++this.#depth > DEEPEST) throw invalid("substitutions are nested too deeply");
    this.#at++;
    const first = this.#peek();
    if (first === undefined) throw invalid("syntax error: missing '}'");
    if (first === "{" || first === "}" || first === ":") throw invalid("syntax error: bad substitution");
    const name = this.#name();
    const result = this.#modified(name) ?? "";
    this.#depth--;
    const unset = this.#options.keepUnset && this.#variables.get(name) === undefined;
    return unset ? this.#text.slice(start, this.#at) : result;
  }

  #modified(name: string): string | undefined {
    const sign = this.#next();
    switch (sign) {
      case "}":
        return this.#value(name);
      case ":": {
        const modifier = this.#next() ?? "";
        if (!"-+?".includes(modifier) || modifier === "") throw unsupported(`:${modifier}`);
        return this.#conditional(name, modifier, true);
      }
      case "-":
      case "+":
      case "?":
        return this.#conditional(name, sign, false);
      case "#":
      case "%":
        return this.#trimmed(name, sign);
      case "/":
        return this.#replaced(name);
      default:
        throw unsupported(sign ?? "");
    }
  }

  #conditional(name: string, modifier: string, emptyIsUnset: boolean): string {
    const word = this.#argument("}", false);
    const value = this.#value(name);
    const missing = value === undefined || (emptyIsUnset && value === "");
    if (modifier === "-") return missing ? word : value;
    if (modifier === "+") return missing ? "" : word;
    if (this.#options.keepUnset && value === undefined) return "";
    if (!missing) return value;
    throw invalid(`${name}: ${word || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`);
  }

  #trimmed(name: string, sign: string): string {
    const word = this.#argument("}", true);
    const value = [...(this.#value(name) ?? "")];
    const greedy = word.startsWith(sign);
    const text = greedy ? word.slice(1) : word;
    const fromEnd = sign === "%";
    const pattern = parsePattern(text, fromEnd);
    const length = pattern.prefix(fromEnd ? value.toReversed() : value, greedy) ?? 0;
    return (fromEnd ? value.slice(0, value.length - length) : value.slice(length)).join("");
  }

  #replaced(name: string): string {
    const all = this.#peek() === "/";
    if (all) this.#at++;
    const text = this.#argument("/", true);
    const replacement = this.#argument("}", true);
    const value = [...(this.#value(name) ?? "")];
    const pattern = parsePattern(text, false);
    let result = "";
    let [at, last] = [0, -1];
    while (at <= value.length) {
      const match = pattern.find(value, at);
      if (!match) break;
      // An empty passage right behind a match is none.
      const counts = match.end > match.start || match.start > last;
      result += value.slice(at, match.start).join("") + (counts ? replacement : "");
      if (result.length > this.#limit) throw invalid(`expands to more than ${this.#limit} characters`);
      [at, last] = [match.end, match.end];
      if (!all) break;
      if (match.end === match.start) result += value[at++] ?? "";
    }
    return result + value.slice(at).join("");
  }

  /** What stands in braces behind the modifier. */
  #argument(stop: string, rawEscapes: boolean): string {
    const before = this.#rawEscapes;
    this.#rawEscapes = rawEscapes;
    try {
      return this.#until(stop);
    } catch (error) {
      if (this.#peek() !== undefined) throw error;
      throw invalid(stop === "/" ? `syntax error: missing '/' in \${}` : "syntax error: missing '}'");
    } finally {
      this.#rawEscapes = before;
    }
  }

  #name(): string {
    const first = this.#peek();
    if (first === undefined) return "";
    const start = this.#at;
    if (DIGIT.test(first)) {
      while (DIGIT.test(this.#peek() ?? "")) this.#at++;
    } else if (SPECIAL.test(first)) this.#at++;
    else {
      for (;;) {
        const point = this.#text.codePointAt(this.#at);
        const character = point === undefined ? "" : String.fromCodePoint(point);
        if (!LETTER.test(character)) break;
        this.#at += character.length;
      }
    }
    return this.#text.slice(start, this.#at);
  }

  #value(name: string): string | undefined {
    const value = this.#variables.get(name);
    (value === undefined ? this.#unmatched : this.#matched).add(name);
    return value;
  }
}

function parsePattern(text: string, reversed: boolean): ShellPattern {
  try {
    return new ShellPattern(text, { reversed });
  } catch (error) {
    throw invalid(`invalid pattern (${text}) in substitution: ${error instanceof Error ? error.message : error}`);
  }
}

function unsupported(modifier: string): HavreError {
  return invalid(`unsupported modifier (${modifier}) in substitution`);
}

function invalid(message: string): HavreError {
  return new HavreError("invalid-argument", message);
}
