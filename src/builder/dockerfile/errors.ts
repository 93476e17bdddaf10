import { HavreError } from "../../base/mod.ts";
import type { SourceFile, SourceRange } from "./source.ts";

export interface Complaint {
  /** What would have been right here, as the end of "expected …". */
  readonly expected?: string;
  readonly cause?: unknown;
}

/** Whatever has a place. */
export interface Placed {
  readonly file: SourceFile;
  readonly range: SourceRange;
}

/**
 * Something wrong in a Dockerfile, with its place. The message is BuildKit's; the hint names file, line and column, says what was
 * expected and quotes the lines.
 */
export class DockerfileError extends HavreError {
  readonly file: SourceFile;
  readonly range: SourceRange;
  readonly expected: string | undefined;

  constructor(message: string, file: SourceFile, range: SourceRange, { expected, cause }: Complaint = {}) {
    const { line, column } = range.start;
    const place = `${file.name}:${line}:${column}`;
    const wanted = expected === undefined ? place : `${place}: expected ${expected}`;
    super("invalid-argument", message, { hint: `${wanted}\n${quoteLines(file.text, range)}`, cause });
    this.file = file;
    this.range = range;
    this.expected = expected;
  }
}

/** The same complaint with other words or another place. */
export function restated(error: DockerfileError, message: string, place: Placed = error): DockerfileError {
  const { expected, cause } = error;
  return new DockerfileError(message, place.file, place.range, {
    ...(expected === undefined ? {} : { expected }),
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Lines of context that are shown before and behind. */
const CONTEXT = 2;
/** Of a longer passage the beginning is enough. */
const LONGEST = 12;
const WIDEST = 200;
const RULE = "--------------------";

/** The lines of `range` with a few around them, numbered and marked as buildx shows them. */
export function quoteLines(text: string, range: SourceRange): string {
  const lines = text.split("\n");
  const last = Math.min(range.end.line, range.start.line + LONGEST - 1, lines.length);
  const first = Math.max(1, range.start.line - CONTEXT);
  const shown = lines.slice(first - 1, Math.min(lines.length, last + CONTEXT));
  return [
    RULE,
    ...shown.map((content, index) => {
      const line = first + index;
      const mark = line >= range.start.line && line <= last ? ">>>" : "   ";
      const cut = content.length > WIDEST ? `${content.slice(0, WIDEST)}…` : content.replace(/\r$/, "");
      return `${String(line).padStart(4)} | ${mark} ${cut}`;
    }),
    RULE,
  ].join("\n");
}
