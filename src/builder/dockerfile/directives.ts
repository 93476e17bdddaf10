import { DockerfileError } from "./errors.ts";
import type { SourceFile, SourceRange, Word } from "./source.ts";
import type { Directives } from "./tree.ts";

const DIRECTIVE = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/;
const KNOWN = ["syntax", "escape", "check"];

/** Reads the directives, which end with the first line that is none. */
export class DirectiveReader {
  readonly #file: SourceFile;
  readonly #found = new Map<string, Word>();
  #done = false;

  constructor(file: SourceFile) {
    this.#file = file;
  }

  /** True when the line, without its end and leading spaces, was a directive. `invalid-argument` for one said twice. */
  take(text: string, line: number, column: number): boolean {
    if (this.#done) return false;
    const [, name = "", value = ""] = DIRECTIVE.exec(text) ?? [];
    const key = name.toLowerCase();
    if (!KNOWN.includes(key)) {
      this.#done = true;
      return false;
    }
    const start = column + text.lastIndexOf(value);
    const word = { text: value.trimEnd(), range: span(line, start, start + value.trimEnd().length) };
    if (this.#found.has(key)) {
      const range = span(line, column, column + text.length);
      throw new DockerfileError(`only one ${key} parser directive can be used`, this.#file, range);
    }
    if (key === "escape" && word.text !== "\\" && word.text !== "`") {
      const message = `invalid escape token '${word.text}' does not match \` or \\`;
      throw new DockerfileError(message, this.#file, word.range, { expected: "` or \\" });
    }
    this.#found.set(key, word);
    return true;
  }

  get directives(): Directives {
    const syntax = this.#found.get("syntax");
    const check = this.#found.get("check");
    return {
      escape: this.#found.get("escape")?.text === "`" ? "`" : "\\",
      ...(syntax === undefined ? {} : { syntax }),
      ...(check === undefined ? {} : { check }),
    };
  }
}

function span(line: number, start: number, end: number): SourceRange {
  return { start: { line, column: start }, end: { line, column: end } };
}
