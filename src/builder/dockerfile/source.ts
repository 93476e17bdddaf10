/** A Dockerfile, or an `ONBUILD` trigger, as text. */
export interface SourceFile {
  /** As people know it, for messages: `Dockerfile`, `docker/Dockerfile.dev`. */
  readonly name: string;
  readonly text: string;
}

/** A point in it: both counted from 1, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From the first character to just behind the last. */
export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}

/** Text with its place. It may span lines that a continuation joined. */
export interface Word {
  readonly text: string;
  readonly range: SourceRange;
}

/** White space as Unicode has it, which is what Docker's parser trims and splits at. */
export const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const LEADING = new RegExp(`^${SPACE.source}+`);

export function isSpace(character: string | undefined): boolean {
  return character !== undefined && SPACE.test(character);
}

export function trimStart(text: string): string {
  return text.replace(LEADING, "");
}

export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text[end - 1])) end--;
  return trimStart(text.slice(0, end));
}
