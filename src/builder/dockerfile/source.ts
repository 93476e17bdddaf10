/** A point in a Dockerfile: both counted from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From the first character to just behind the last. */
export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}

/** Text with its place. The text may span lines that a continuation joined. */
export interface Word {
  readonly text: string;
  readonly range: SourceRange;
}
