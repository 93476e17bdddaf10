import { displayWidth, ellipsis } from "./width.ts";

const MINIMUM = 10;
const PADDING = 3;
/** Ids have this width: cut further they say nothing any more. */
const SMALLEST = 12;

/**
 * Lays out tab-separated lines as Docker's tables are: a column is as wide as its widest cell plus three, at least ten;
 * the last cell of a line is free. A line with fewer cells ends the columns beyond it (Go's text/tabwriter).
 * With `fit`, gaps are narrowed and then the widest columns cut until the table is no wider, as far as it stays of use.
 */
export function layOut(text: string, fit?: number): string {
  const lines = text.split("\n").map((line) => line.split("\t"));
  const padding = fit === undefined ? PADDING : shrink(lines, fit);
  const widths: number[][] = lines.map((cells) => cells.slice(0, -1).map(() => 0));
  layColumn({ lines, widths, padding }, 0, 0, lines.length);
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

interface Table {
  readonly lines: readonly (readonly string[])[];
  readonly widths: readonly number[][];
  readonly padding: number;
}

const columnWidth = (cell: number, padding: number) => Math.max(padding === PADDING ? MINIMUM : 0, cell + padding);

/** Gives every run of neighbouring lines that have this column its width, then goes one column deeper. */
function layColumn({ lines, widths, padding }: Table, column: number, from: number, to: number): void {
  for (let row = from; row < to; row++) {
    if ((lines[row]?.length ?? 0) - 1 <= column) continue;
    let end = row;
    let width = 0;
    for (; end < to && (lines[end]?.length ?? 0) - 1 > column; end++) {
      width = Math.max(width, columnWidth(displayWidth(lines[end]?.[column] ?? ""), padding));
    }
    for (let at = row; at < end; at++) {
      const line = widths[at];
      if (line) line[column] = width;
    }
    layColumn({ lines, widths, padding }, column + 1, row, end);
    row = end - 1;
  }
}

/** Cuts cells until the lines fit; returns the gap between columns. */
function shrink(lines: string[][], fit: number): number {
  const columns = Math.max(...lines.map((cells) => cells.length));
  const widest = (rows: readonly (readonly string[])[], column: number) =>
    Math.max(0, ...rows.map((cells) => displayWidth(cells[column] ?? "")));
  const need = Array.from({ length: columns }, (_, column) => widest(lines, column));
  const floor = need.map((_, column) => Math.max(SMALLEST, widest(lines.slice(0, 1), column)));
  const total = (padding: number) =>
    need.reduce((sum, width, column) => sum + (column < columns - 1 ? columnWidth(width, padding) : width), 0);
  let padding = PADDING;
  while (padding > 1 && total(padding) > fit) padding--;
  while (total(padding) > fit) {
    const spare = need.map((width, column) => width - (floor[column] ?? 0));
    const most = spare.indexOf(Math.max(...spare));
    if ((spare[most] ?? 0) <= 0) break;
    need[most] = (need[most] ?? 0) - 1;
  }
  for (const cells of lines) {
    for (const [column, cell] of cells.entries()) cells[column] = ellipsis(cell, Math.max(need[column] ?? 0, 1));
  }
  return padding;
}
