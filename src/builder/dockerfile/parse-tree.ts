import { DirectiveReader } from "./directives.ts";
import { DockerfileError } from "./errors.ts";
import { heredocsOf } from "./heredocs.ts";
import { mayHoldHeredocs, parseInstruction } from "./instructions.ts";
import { JoinedLine } from "./joined-line.ts";
import { isSpace, type SourceFile, type SourceRange, trim } from "./source.ts";
import type { Heredoc, Instruction, Tree } from "./tree.ts";

/** Docker's limit for one line of the file. */
const LONGEST_LINE = 65_535;

/**
 * A Dockerfile as instructions: lines joined, comments and directives taken out, here-documents attached.
 * `invalid-argument` (a `DockerfileError`, BuildKit's texts) for what cannot be read, and for a file without instructions.
 */
export function parseTree(file: SourceFile): Tree {
  return new TreeReader(file).read();
}

class TreeReader {
  readonly #file: SourceFile;
  readonly #lines: Lines;
  readonly #directives: DirectiveReader;
  readonly #instructions: Instruction[] = [];
  readonly #emptyContinuations: SourceRange[] = [];
  #comments: string[] = [];

  constructor(file: SourceFile) {
    this.#file = file;
    this.#lines = new Lines(file);
    this.#directives = new DirectiveReader(file);
  }

  read(): Tree {
    for (let raw = this.#lines.next(); raw !== undefined; raw = this.#lines.next()) {
      const line = withoutEnd(raw);
      const column = indentation(line) + 1;
      const content = line.slice(column - 1);
      if (this.#directives.take(content, this.#lines.number, column)) continue;
      if (content.startsWith("#")) this.#comment(content);
      else this.#instruction(content, column);
    }
    if (this.#instructions.length === 0) {
      const range = this.#lines.here();
      throw new DockerfileError("file with no instructions", this.#file, range, { expected: "FROM" });
    }
    return {
      file: this.#file,
      directives: this.#directives.directives,
      instructions: this.#instructions,
      emptyContinuations: this.#emptyContinuations,
    };
  }

  #comment(content: string): void {
    const comment = trim(content.slice(1));
    if (comment === "") this.#comments = [];
    else this.#comments.push(comment);
  }

  #instruction(content: string, column: number): void {
    const sign = this.#directives.directives.escape;
    const joined = new JoinedLine();
    let piece = withoutContinuation(content, sign);
    if (piece === undefined && content === "") return;
    const start = { line: this.#lines.number, column };
    joined.append(piece ?? content, this.#lines.number, column);
    let empty = false;
    while (piece !== undefined) {
      const raw = this.#lines.next();
      if (raw === undefined) break;
      const line = withoutEnd(raw);
      const indent = indentation(line);
      if (line[indent] === "#") continue;
      if (indent === line.length) {
        empty = true;
        continue;
      }
      piece = withoutContinuation(line, sign);
      joined.append(piece ?? line, this.#lines.number, 1);
    }
    if (empty) this.#emptyContinuations.push(this.#lines.here());
    const instruction = parseInstruction(this.#file, joined, sign, this.#comments);
    this.#comments = [];
    const heredocs = mayHoldHeredocs(instruction) ? this.#heredocs(joined.text, instruction) : [];
    this.#instructions.push({ ...instruction, heredocs, range: { start, end: this.#lines.here().end } });
  }

  #heredocs(text: string, instruction: Instruction): readonly Heredoc[] {
    return this.#opened(text, instruction).map((heredoc) => {
      const content: string[] = [];
      for (let raw = this.#lines.next(); raw !== undefined; raw = this.#lines.next()) {
        const line = withoutEnd(raw);
        if ((heredoc.chomp ? line.replace(/^\t+/, "") : line) === heredoc.name) {
          return { ...heredoc, content: content.join("") };
        }
        content.push(raw);
      }
      const expected = `a line with ${heredoc.name} alone`;
      throw new DockerfileError("unterminated heredoc", this.#file, instruction.range, { expected });
    });
  }

  #opened(text: string, { range }: Instruction): ReturnType<typeof heredocsOf> {
    try {
      return heredocsOf(text);
    } catch (error) {
      throw new DockerfileError(error instanceof Error ? error.message : String(error), this.#file, range);
    }
  }
}

/** The lines of a file with their ends, one after the other. */
class Lines {
  readonly #file: SourceFile;
  #at: number;
  #length = 0;
  number = 0;

  constructor(file: SourceFile) {
    this.#file = file;
    this.#at = file.text.startsWith("\uFEFF") ? 1 : 0;
  }

  next(): string | undefined {
    const { text } = this.#file;
    if (this.#at >= text.length) return undefined;
    const feed = text.indexOf("\n", this.#at);
    const end = feed < 0 ? text.length : feed + 1;
    const line = text.slice(this.#at, end);
    this.#at = end;
    this.#length = withoutEnd(line).length;
    this.number++;
    if (line.length > LONGEST_LINE) {
      throw new DockerfileError(
        `dockerfile line greater than max allowed size of ${LONGEST_LINE}`,
        this.#file,
        this.here(),
      );
    }
    return line;
  }

  /** The line read last. */
  here(): SourceRange {
    const line = Math.max(1, this.number);
    return { start: { line, column: 1 }, end: { line, column: this.#length + 1 } };
  }
}

function indentation(line: string): number {
  let at = 0;
  while (isSpace(line[at])) at++;
  return at;
}

/** The line without the escape that ends it, or undefined when none does. An escaped escape is none. */
function withoutContinuation(line: string, sign: string): string | undefined {
  let end = line.length;
  while (line[end - 1] === " " || line[end - 1] === "\t") end--;
  const content = line.slice(0, end);
  if (!content.endsWith(sign) || content.endsWith(sign + sign)) return undefined;
  return content.slice(0, -1);
}

function withoutEnd(line: string): string {
  let end = line.length;
  while (line[end - 1] === "\n" || line[end - 1] === "\r") end--;
  return line.slice(0, end);
}
