import { displayWidth, ellipsis } from "../output/width.ts";
import { type Column, columnsFor, conditionSign, conditionStyle } from "./columns.ts";
import { STYLE } from "./line.ts";
import { type Row, shownName } from "./rows.ts";
import { paint, type Scene } from "./scene.ts";

type ContainerRow = Extract<Row, { kind: "container" }>;
type ProjectRow = Extract<Row, { kind: "project" }>;

interface Layout {
  readonly width: number;
  /** Columns of the screen that names have. */
  readonly name: number;
  readonly columns: readonly Column[];
}

/** Sign and space before a name. */
const SIGN = 2;
const INDENT = "  ";

/** Titles, then as many rows as fit; the selected one is among them. */
export function tableLines(scene: Scene, width: number, height: number): string[] {
  const { rows, state } = scene;
  const longest = Math.max(...rows.map((row) => displayWidth(row.kind === "project" ? row.name : indented(row)) + 1));
  const { name, columns } = columnsFor(width, longest);
  const layout = { width, name, columns };
  const chosen = rows.findIndex((row) => row.kind === "container" && row.meter.reading.id === state.selected);
  const first = Math.max(0, Math.min(rows.length - height, chosen - Math.floor(height / 2)));
  const visible = rows.slice(first, first + height);
  return [
    titles(scene, layout, first, rows.length - first - visible.length),
    ...visible.map((row) =>
      row.kind === "project" ? projectLine(scene, row, layout) : containerLine(scene, row, layout),
    ),
  ];
}

function indented({ meter, inGroup }: ContainerRow): string {
  return (inGroup ? INDENT : "") + shownName(meter, inGroup);
}

function titles(scene: Scene, { width, name, columns }: Layout, above: number, below: number): string {
  const { state, glyphs } = scene;
  // Names begin with the smallest, all else with the most.
  const sign = (state.sort === "name") === state.reversed ? glyphs.falling : glyphs.rising;
  const title = (text: string, sort: string | undefined) => (sort === state.sort ? `${text}${sign}` : text);
  const style = (sort: string | undefined) => (sort === state.sort ? STYLE.bold : "");
  const line = paint(scene, width, STYLE.underline).add(" ".repeat(SIGN)).add(title("NAME", "name"), style("name"));
  let column = SIGN + name;
  for (const { title: text, sort, width: room, align } of columns) {
    if (align === "left") line.to(column + 1).add(title(text, sort), style(sort));
    else line.right(title(text, sort), column + room, style(sort));
    column += room;
  }
  const more = [above > 0 ? `${above} above` : "", below > 0 ? `${below} below` : ""].filter(Boolean).join(", ");
  if (more !== "" && line.room > more.length + 2) line.right(more, width - 1, STYLE.dim);
  return line.toString();
}

function projectLine(scene: Scene, { name: title, meters }: ProjectRow, { width, name, columns }: Layout): string {
  const up = meters.filter(({ reading }) => reading.usage).length;
  const line = paint(scene, width).add(ellipsis(title, SIGN + name - 1), STYLE.bold);
  let column = SIGN + name;
  for (const { title: text, sum, width: room } of columns) {
    if (text === "STATE") line.to(column + 1).add(`${up}/${meters.length} up`, STYLE.dim);
    else if (sum) line.right(sum(meters), column + room, STYLE.dim);
    column += room;
  }
  return line.toString();
}

function containerLine(scene: Scene, row: ContainerRow, { width, name, columns }: Layout): string {
  const { meter, inGroup } = row;
  const chosen = meter.reading.id === scene.state.selected;
  // Colours on a reversed line are hard to read on one background or the other.
  const line = paint({ coloured: scene.coloured && !chosen }, width, chosen ? STYLE.reverse : "");
  line.add(inGroup ? INDENT : "").add(`${conditionSign(meter, scene.glyphs)} `, conditionStyle(meter));
  line.add(ellipsis(shownName(meter, inGroup), name - (inGroup ? INDENT.length : 0) - 1));
  let column = SIGN + name;
  for (const { cell, width: room, align } of columns) {
    const { text, style } = cell(meter, scene.now, scene.glyphs);
    if (align === "left") line.to(column + 1).add(text, style);
    else line.right(text, column + room, style);
    column += room;
  }
  return line.toString();
}

/** What to do where there is nothing to show. */
export function emptyLines(scene: Scene, width: number, body: number): string[] {
  const texts = emptyTexts(scene);
  const above = Math.max(0, Math.floor((body - texts.length) / 2));
  const left = Math.max(0, Math.floor((width - Math.max(...texts.map(displayWidth))) / 2));
  const line = (text: string, index: number) =>
    paint(scene, width)
      .to(left)
      .add(text, index === 0 ? STYLE.bold : STYLE.dim)
      .toString();
  return [...Array<string>(above).fill(""), ...texts].map((text, index) => line(text, index - above));
}

function emptyTexts({ state, board: { look } }: Scene): string[] {
  if (state.filter !== "") return [`Nothing fits "${state.filter}"`, "Esc shows all again"];
  if (!look) return [""];
  const stopped = look.stopped > 0 && !state.all ? ["", `a: show the ${look.stopped} that are stopped`] : [];
  return ["No container runs", "", "havre run -d --name web -p 8080:80 IMAGE", "havre up FOLDER", ...stopped];
}
