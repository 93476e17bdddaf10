import { invalid } from "./words.ts";

/**
 * Takes quotes and escapes off a word and puts variables in: `$name`, `${name}`, `${name:-else}`, `${name:+then}`,
 * `${name:?complaint}` and the same without the colon (Dockerfile reference, § Environment replacement).
 * `invalid-argument` for a quote or brace left open and for a modifier not among these.
 */
export function expand(word: string, environment: readonly string[]): string {
  const reader = new Reader(word, environment);
  try {
    return reader.until(undefined);
  } catch (error) {
    throw invalid(`failed to process ${JSON.stringify(word)}: ${error instanceof Error ? error.message : error}`);
  }
}

class Reader {
  readonly #characters: readonly string[];
  readonly #values = new Map<string, string>();
  #at = 0;

  constructor(text: string, environment: readonly string[]) {
    this.#characters = [...text];
    for (const entry of environment) {
      const equals = entry.indexOf("=");
      this.#values.set(equals < 0 ? entry : entry.slice(0, equals), equals < 0 ? "" : entry.slice(equals + 1));
    }
  }

  /** Everything up to `stop` (consumed), or to the end. */
  until(stop: string | undefined): string {
    let out = "";
    for (let character = this.#take(); character !== undefined; character = this.#take()) {
      if (character === stop) return out;
      if (character === "'") out += this.#singleQuoted();
      else if (character === '"') out += this.#doubleQuoted();
      else if (character === "$") out += this.#variable();
      else out += character === "\\" ? (this.#take() ?? "") : character;
    }
    if (stop !== undefined) throw new Error("syntax error: missing '}'");
    return out;
  }

  #take(): string | undefined {
    return this.#characters[this.#at++];
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #singleQuoted(): string {
    const end = this.#characters.indexOf("'", this.#at);
    if (end < 0) throw new Error("unexpected end of statement while looking for matching single-quote");
    const text = this.#characters.slice(this.#at, end).join("");
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(): string {
    let out = "";
    for (let character = this.#take(); character !== undefined; character = this.#take()) {
      if (character === '"') return out;
      if (character === "$") out += this.#variable();
      else if (character === "\\" && ['"', "$", "\\"].includes(this.#peek() ?? "")) out += this.#take();
      else out += character;
    }
    throw new Error("unexpected end of statement while looking for matching double-quote");
  }

  #variable(): string {
    if (this.#peek() !== "{") {
      const name = this.#name();
      return name === "" ? "$" : (this.#values.get(name) ?? "");
    }
    this.#take();
    if (["{", "}", ":"].includes(this.#peek() ?? "}")) throw new Error("syntax error: bad substitution");
    const name = this.#name();
    let modifier = this.#take() ?? "";
    if (modifier === "}") return this.#values.get(name) ?? "";
    if (modifier === ":") modifier += this.#take() ?? "";
    const operand = /^:?[-+?]$/.test(modifier) ? this.until("}") : undefined;
    if (operand === undefined) throw new Error(`unsupported modifier (${modifier}) in substitution`);
    return this.#substitute(name, modifier, operand);
  }

  #substitute(name: string, modifier: string, operand: string): string {
    const value = this.#values.get(name);
    const missing = value === undefined || (modifier.startsWith(":") && value === "");
    if (modifier.endsWith("+")) return missing ? "" : operand;
    if (!missing) return value;
    if (modifier.endsWith("-")) return operand;
    throw new Error(`${name}: ${operand || `is not allowed to be ${value === undefined ? "unset" : "empty"}`}`);
  }

  #name(): string {
    const rest = this.#characters.slice(this.#at).join("");
    const [name = ""] = /^(?:\d+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest) ?? [];
    this.#at += [...name].length;
    return name;
  }
}
