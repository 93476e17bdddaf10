/**
 * A picture of a terminal, made of what it really shows:
 *
 *     tmux capture-pane -e -p | bun scripts/picture.ts TITLE >docs/pictures/NAME.svg
 *
 * Reads text with styles (SGR, ECMA-48 8.3.117) on standard input, writes SVG.
 */
import { readFileSync } from "node:fs";

const CELL = { width: 8.4, height: 18 };
const MARGIN = { side: 16, top: 44, bottom: 16 };
const INK = "#d4d4d8";
const PAPER = "#18181b";
const COLOURS: Readonly<Record<number, string>> = {
  ...{
    30: "#3f3f46",
    31: "#f87171",
    32: "#4ade80",
    33: "#facc15",
    34: "#60a5fa",
    35: "#c084fc",
    36: "#22d3ee",
    37: INK,
  },
};

interface Style {
  readonly colour?: string | undefined;
  readonly bold?: boolean;
  readonly dim?: boolean;
  readonly underline?: boolean;
  readonly reverse?: boolean;
}

interface Run extends Style {
  readonly column: number;
  readonly text: string;
}

/** Pieces of one style, each with the column where it begins. */
function runsOf(line: string): Run[] {
  const runs: Run[] = [];
  let style: Style = {};
  let column = 0;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  for (const [piece, codes] of line.matchAll(/\x1b\[([\d;]*)m|[^\x1b]+/g)) {
    if (codes !== undefined) {
      for (const code of codes.split(";").map(Number)) style = restyled(style, code);
      continue;
    }
    runs.push({ ...style, column, text: piece });
    column += [...piece].length;
  }
  return runs;
}

function restyled(style: Style, code: number): Style {
  if (code === 0) return {};
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 4) return { ...style, underline: true };
  if (code === 7) return { ...style, reverse: true };
  if (code === 39) return { ...style, colour: undefined };
  return COLOURS[code] === undefined ? style : { ...style, colour: COLOURS[code] };
}

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function drawn({ column, text, colour = INK, bold, dim, underline, reverse }: Run, row: number): string {
  const width = [...text].length * CELL.width;
  const [x, top] = [MARGIN.side + column * CELL.width, MARGIN.top + row * CELL.height];
  const box = reverse
    ? `<rect x="${x.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${CELL.height}" fill="${colour}"/>`
    : "";
  if (text.trim() === "" && !underline) return box;
  const look = [
    `fill="${reverse ? PAPER : colour}"`,
    bold ? 'font-weight="bold"' : "",
    dim ? 'opacity="0.6"' : "",
    underline ? 'text-decoration="underline"' : "",
  ];
  // Whatever the font, a run is as wide as its cells.
  const size = `textLength="${width.toFixed(1)}" lengthAdjust="spacingAndGlyphs"`;
  return `${box}<text x="${x.toFixed(1)}" y="${top + 13}" ${size} ${look.filter(Boolean).join(" ")}>${escaped(text)}</text>`;
}

const title = process.argv[2] ?? "";
const lines = readFileSync(0, "utf8").replace(/\n+$/, "").split("\n");
const rows = lines.map(runsOf);
const columns = Math.max(...rows.map((runs) => runs.reduce((sum, { text }) => sum + [...text].length, 0)));
const width = Math.ceil(columns * CELL.width + 2 * MARGIN.side);
const height = rows.length * CELL.height + MARGIN.top + MARGIN.bottom;
process.stdout.write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" rx="8" fill="${PAPER}"/>
<text x="${width / 2}" y="26" text-anchor="middle" fill="#a1a1aa" font-family="sans-serif" font-size="13">${escaped(title)}</text>
<g font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
${rows
  .map((runs, row) => runs.map((run) => drawn(run, row)).join(""))
  .filter(Boolean)
  .join("\n")}
</g>
</svg>
`);
