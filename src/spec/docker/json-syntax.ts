/**
 * Why a text is not JSON, in the words clients of Go daemons know. Only used once `JSON.parse` has refused the text, so
 * that it never costs a request that is right.
 */
export type JsonFault =
  | { readonly kind: "empty" }
  | { readonly kind: "syntax"; readonly message: string }
  /** A whole value, then something else. */
  | { readonly kind: "trailing" };

class Syntax extends Error {}

const ESCAPES = 'bfnrt\\/"';
const isSpace = (char: string) => char === " " || char === "\t" || char === "\n" || char === "\r";
const isDigit = (char: string) => char >= "0" && char <= "9" && char.length === 1;

function quote(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return "'\"'";
  return `'${JSON.stringify(char).slice(1, -1)}'`;
}

/** A reader of one JSON value that remembers where it stopped. */
class Scanner {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  peek(): string {
    const char = this.#text[this.at];
    if (char === undefined) throw new Syntax("unexpected EOF");
    return char;
  }

  refuse(context: string): never {
    throw new Syntax(`invalid character ${quote(this.peek())} ${context}`);
  }

  skipSpace(): void {
    while (this.at < this.#text.length && isSpace(this.#text[this.at] ?? "")) this.at++;
  }

  atEnd(): boolean {
    return this.at >= this.#text.length;
  }

  value(): void {
    this.skipSpace();
    const char = this.peek();
    if (char === "{") this.object();
    else if (char === "[") this.array();
    else if (char === '"') this.string();
    else if (char === "-" || isDigit(char)) this.number();
    else if (char === "t") this.literal("true");
    else if (char === "f") this.literal("false");
    else if (char === "n") this.literal("null");
    else this.refuse("looking for beginning of value");
  }

  object(): void {
    this.at++;
    this.skipSpace();
    if (this.peek() === "}") {
      this.at++;
      return;
    }
    for (;;) {
      this.skipSpace();
      if (this.peek() !== '"') this.refuse("looking for beginning of object key string");
      this.string();
      this.skipSpace();
      if (this.peek() !== ":") this.refuse("after object key");
      this.at++;
      this.value();
      this.skipSpace();
      const char = this.peek();
      if (char !== "," && char !== "}") this.refuse("after object key:value pair");
      this.at++;
      if (char === "}") return;
    }
  }

  array(): void {
    this.at++;
    this.skipSpace();
    if (this.peek() === "]") {
      this.at++;
      return;
    }
    for (;;) {
      this.value();
      this.skipSpace();
      const char = this.peek();
      if (char !== "," && char !== "]") this.refuse("after array element");
      this.at++;
      if (char === "]") return;
    }
  }

  string(): void {
    this.at++;
    for (;;) {
      const char = this.peek();
      if (char < " ") this.refuse("in string literal");
      this.at++;
      if (char === '"') return;
      if (char !== "\\") continue;
      const escaped = this.peek();
      if (escaped !== "u" && !ESCAPES.includes(escaped)) this.refuse("in string escape code");
      this.at++;
      if (escaped !== "u") continue;
      for (let digit = 0; digit < 4; digit++, this.at++) {
        if (!/[0-9a-fA-F]/.test(this.peek())) this.refuse("in \\u hexadecimal character escape");
      }
    }
  }

  number(): void {
    if (this.peek() === "-") {
      this.at++;
      if (!isDigit(this.peek())) this.refuse("in numeric literal");
    }
    if (this.peek() === "0") this.at++;
    else this.digits();
    if (this.#text[this.at] === ".") {
      this.at++;
      if (!isDigit(this.peek())) this.refuse("after decimal point in numeric literal");
      this.digits();
    }
    const exponent = this.#text[this.at];
    if (exponent !== "e" && exponent !== "E") return;
    this.at++;
    if (this.peek() === "+" || this.peek() === "-") this.at++;
    if (!isDigit(this.peek())) this.refuse("in exponent of numeric literal");
    this.digits();
  }

  digits(): void {
    while (isDigit(this.#text[this.at] ?? "")) this.at++;
  }

  literal(word: string): void {
    for (const expected of word) {
      if (this.peek() !== expected) this.refuse(`in literal ${word} (expecting ${quote(expected)})`);
      this.at++;
    }
  }
}

/** What is wrong with `text`; undefined when it is one JSON value and nothing else. */
export function jsonFault(text: string): JsonFault | undefined {
  const scanner = new Scanner(text);
  scanner.skipSpace();
  if (scanner.atEnd()) return { kind: "empty" };
  try {
    scanner.value();
  } catch (error) {
    if (error instanceof Syntax) return { kind: "syntax", message: error.message };
    throw error;
  }
  scanner.skipSpace();
  return scanner.atEnd() ? undefined : { kind: "trailing" };
}
