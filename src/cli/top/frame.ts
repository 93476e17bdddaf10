import type { Size } from "../output/terminal.ts";
import { foot } from "./foot.ts";
import { head } from "./head.ts";
import { helpLines } from "./help.ts";
import { logLines, panelLines } from "./panel.ts";
import { paint, type Scene } from "./scene.ts";
import { emptyLines, tableLines } from "./table.ts";

const LEAST = { columns: 40, rows: 8 };
/** Below the table stands the end of a log, where the screen has the rows for both. */
const PANEL = { least: 5, share: 0.35, fromRows: 14 };

/** The lines of the screen, from the top. */
export function frame(scene: Scene, size: Size): string[] {
  const { columns, rows } = size;
  if (columns < LEAST.columns || rows < LEAST.rows)
    return [paint(scene, columns).add("This window is too small").toString()];
  const body = rows - 2;
  const between = bodyLines(scene, columns, body);
  const filled = [
    ...between,
    ...Array<string>(Math.max(0, body - between.length)).fill(paint(scene, columns).toString()),
  ].slice(0, body);
  return [head(scene, columns), ...filled, foot(scene, columns)];
}

/** Rows of containers, or lines of logs, that fit. */
export function pageSize({ state, rows }: Pick<Scene, "state" | "rows">, size: Size): number {
  return state.view === "logs" ? size.rows - 3 : tableHeight(rows.length, size.rows - 2);
}

function bodyLines(scene: Scene, width: number, body: number): string[] {
  if (scene.state.view === "help") return helpLines(scene, width);
  if (scene.state.view === "logs") return logLines(scene, width, body);
  if (scene.rows.length === 0) return emptyLines(scene, width, body);
  const height = tableHeight(scene.rows.length, body);
  // One line of the table is its titles.
  const panel = body - 1 - height;
  return [...tableLines(scene, width, height), ...(panel > 1 ? panelLines(scene, width, panel) : [])];
}

function tableHeight(needed: number, body: number): number {
  const available = body - 1;
  if (body + 2 < PANEL.fromRows) return available;
  return Math.min(needed, available - Math.max(PANEL.least, Math.floor(available * PANEL.share)));
}
