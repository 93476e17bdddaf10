import { displayWidth, ellipsis } from "./width.ts";

const MINIMUM = 10;
const PADDING = 3;
/** Narrower than this a column says nothing any more. */
const SMALLEST = 8;

/**
 * Lays out tab-separated lines as Docker's tables are: a column is as wide as its widest cell plus three, at least ten;
 * the last cell of a line is free. A line with fewer cells ends the columns beyond it (Go's text/tabwriter).
 * With `fit`, the widest columns are cut until the table is no wider.
 */
export function layOut(text: string, fit?: number): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  if (fit !== undefined) shrink(lines, fit);
  const widths: number[][] = lines.map((cells) => cells.slice(0, -1).map(() => 0));
  layColumn(lines, widths, 0, 0, lines.length);
  return lines
    .map((cells, row) =>
      cells
        .map((cell, column) => {
          const width = widths[row]?.[column];
          return width === undefined ? cell : cell + " ".repeat(width - displayWidth(cell));
        })
        .join(""),
    )
    .join("\n");
}

/** Gives every run of neighbouring lines that have this column its width, then goes one column deeper. */
function layColumn(lines: string[][], widths: number[][], column: number, from: number, to: number): void {
  for (let row = from; row < to; row++) {
    if ((lines[row]?.length ?? 0) - 1 <= column) continue;
    let end = row;
    let width = MINIMUM;
    for (; end < to && (lines[end]?.length ?? 0) - 1 > column; end++) {
      width = Math.max(width, displayWidth(lines[end]?.[column] ?? "") + PADDING);
    }
    for (let at = row; at < end; at++) {
      const line = widths[at];
      if (line) line[column] = width;
    }
    layColumn(lines, widths, column + 1, row, end);
    row = end - 1;
  }
}

function shrink(lines: string[][], fit: number): void {
  const columns = Math.max(...lines.map((cells) => cells.length));
  const need = Array.from({ length: columns }, (_, column) =>
    Math.max(...lines.map((cells) => displayWidth(cells[column] ?? ""))),
  );
  const total = () =>
    need.reduce((sum, width, column) => sum + (column < columns - 1 ? Math.max(MINIMUM, width + PADDING) : width), 0);
  while (total() > fit) {
    const widest = need.indexOf(Math.max(...need));
    if ((need[widest] ?? 0) <= SMALLEST) return;
    need[widest] = (need[widest] ?? 0) - 1;
  }
  for (const cells of lines) {
    for (const [column, cell] of cells.entries()) cells[column] = ellipsis(cell, Math.max(need[column] ?? 0, 1));
  }
}
