import type { Position, SourceRange, Word } from "./source.ts";

/** A piece of a joined line: what comes from one line of the file. */
interface Segment {
  readonly offset: number;
  readonly position: Position;
}

/** Lines joined by continuations, which remembers where each character stood. */
export class JoinedLine {
  readonly #segments: Segment[] = [];
  readonly #pieces: string[] = [];
  #length = 0;
  #text: string | undefined;

  /** Adds a passage of line `line` that begins at `column`, both from 1. */
  append(text: string, line: number, column: number): void {
    this.#segments.push({ offset: this.#length, position: { line, column } });
    this.#pieces.push(text);
    this.#length += text.length;
    this.#text = undefined;
  }

  get text(): string {
    this.#text ??= this.#pieces.join("");
    return this.#text;
  }

  position(offset: number): Position {
    let [low, high] = [0, this.#segments.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#segments[middle]?.offset ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const segment = this.#segments[low];
    if (segment === undefined) return { line: 1, column: 1 };
    const { line, column } = segment.position;
    return { line, column: column + offset - segment.offset };
  }

  range(start: number, end: number): SourceRange {
    const last = this.position(Math.max(start, end - 1));
    return { start: this.position(start), end: end > start ? { line: last.line, column: last.column + 1 } : last };
  }

  word(start: number, end: number, text = this.text.slice(start, end)): Word {
    return { text, range: this.range(start, end) };
  }
}
