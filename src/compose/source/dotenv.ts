import { HavreError } from "../../base/mod.ts";
import { type Lookup, substitute } from "./template.ts";

const ESCAPE = /\\(?:[abcfnrtv$"\\]|0[0-7]{0,3})/g;
const CONTROLS: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/**
 * Reads an environment file: `KEY=value`, `KEY: value`, `export KEY=value`, single quotes (as they are), double quotes
 * (escapes and variables), unquoted (variables, ends at ` #`), quoted values over many lines. A key alone takes its
 * value from `outside`, as do variables the file does not set before. `invalid-argument` with the line for what is none
 * of it. Source: Compose Specification, Env_file format.
 */
export function parseDotenv(path: string, text: string, outside: Lookup): Map<string, string> {
  return new Reader(path, text.replaceAll("\r\n", "\n").replace(/^\uFEFF/, ""), outside).readAll();
}

/** The `raw` format: `KEY=value` to the line's end, as it stands. */
export function parseRawEnv(text: string, outside: Lookup): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === "" || line.trimStart().startsWith("#")) continue;
    const equals = line.indexOf("=");
    const key = (equals < 0 ? line : line.slice(0, equals)).trim();
    const value = equals < 0 ? outside(key) : line.slice(equals + 1);
    if (value !== undefined) values.set(key, value);
  }
  return values;
}

class Reader {
  readonly #values = new Map<string, string>();
  #at = 0;

  constructor(
    readonly path: string,
    readonly text: string,
    readonly outside: Lookup,
  ) {}

  readAll(): Map<string, string> {
    for (;;) {
      this.#skip(/(?:\s+|#[^\n]*)*/y);
      if (this.#at >= this.text.length) return this.#values;
      this.#skip(/export[^\S\n]+/y);
      this.#statement();
    }
  }

  #statement(): void {
    const line = this.text.slice(this.#at).split("\n", 1)[0] ?? "";
    const found = /^([^=:\n]*)([=:]?)/.exec(line);
    const key = (found?.[1] ?? "").trimEnd();
    const wrong = /[^\p{L}\p{N}_.\-[\]\s]/u.exec(key)?.[0];
    if (wrong !== undefined)
      throw this.#error(`unexpected character ${JSON.stringify(wrong)} in variable name ${JSON.stringify(line)}`);
    if (key === "") throw this.#error(`a variable's name is missing in ${JSON.stringify(line)}`);
    if (/\s/.test(key)) throw this.#error("key cannot contain a space");
    this.#at += found?.[0].length ?? 0;
    if (found?.[2] === "") {
      const value = this.outside(key);
      if (value !== undefined) this.#values.set(key, value);
      return;
    }
    this.#skip(/[^\S\n]*/y);
    this.#values.set(key, this.#value());
  }

  #value(): string {
    const quote = this.text[this.#at];
    if (quote !== '"' && quote !== "'") {
      const line = this.#skip(/[^\n]*/y);
      return this.#expand((line.split(" #", 1)[0] ?? "").trimEnd());
    }
    const start = this.#at;
    let value = "";
    for (this.#at++; this.#at < this.text.length; this.#at++) {
      const char = this.text.charAt(this.#at);
      if (char === quote) {
        this.#at++;
        return quote === '"' ? this.#expand(expandEscapes(value)) : value;
      }
      const next = this.text.charAt(this.#at + 1);
      if (char === "\\" && next === quote) {
        value += quote;
        this.#at++;
      } else if (char === "\\" && next === "\\") {
        value += "\\\\";
        this.#at++;
      } else value += char;
    }
    this.#at = start;
    throw this.#error(`unterminated quoted value ${this.text.slice(start).split("\n", 1)[0]}`);
  }

  #expand(value: string): string {
    const lookup = (name: string) => this.outside(name) ?? this.#values.get(name);
    return substitute(value, lookup, () => {});
  }

  #skip(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.#at += found.length;
    return found;
  }

  #error(what: string): HavreError {
    const line = this.text.slice(0, this.#at).split("\n").length;
    return new HavreError("invalid-argument", `${this.path}:${line}: ${what}`);
  }
}

function expandEscapes(value: string): string {
  return value.replace(ESCAPE, (sequence) => {
    const code = sequence.charAt(1);
    // `substitute` turns it into one dollar sign that begins no variable.
    if (code === "$") return "$$";
    if (code === "0") return String.fromCharCode(Number.parseInt(sequence.slice(1), 8));
    return CONTROLS[code] ?? code;
  });
}
