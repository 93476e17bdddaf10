import type { Row } from "../template/mod.ts";
import { layOut } from "./columns.ts";
import type { Output } from "./output.ts";

export interface ListView {
  readonly rows: readonly Row[];
  /** Column headings by field. */
  readonly headings: Readonly<Record<string, string>>;
  /** Go's name of a row's type, for messages. */
  readonly typeName: string;
  /** A Go template, `table TEMPLATE` or `json`. */
  readonly format: string;
  /** Cut columns to the terminal; only sensible for a default table. */
  readonly fit?: boolean;
}

/** Prints a list as Docker does (`--format`). `invalid-argument` when the template is wrong. */
export async function printList(out: Output, view: ListView): Promise<void> {
  out.write(await renderList(view, view.fit && out.isTerminal ? await terminalColumns() : undefined));
}

async function terminalColumns(): Promise<number> {
  const { terminalSize } = await import("./terminal.ts");
  return (await terminalSize(1)).columns;
}

/** A table of plain columns, as the default ones are, needs no template engine: most lists are printed without it. */
const PLAIN_COLUMNS = /^table (?:\{\{\.\w+\}\}\t)*\{\{\.\w+\}\}$/;

export async function renderList(view: ListView, width?: number): Promise<string> {
  if (PLAIN_COLUMNS.test(view.format)) return renderColumns(view, width);
  const { renderTemplate } = await import("./template-list.ts");
  return renderTemplate(view, width);
}

function renderColumns({ format, headings, rows }: ListView, width: number | undefined): string {
  const fields = [...format.matchAll(/\{\{\.(\w+)\}\}/g)].map(([, field]) => field ?? "");
  const lines = [
    fields.map((field) => headings[field] ?? "").join("\t"),
    ...rows.map((row) => fields.map((field) => row[field]?.("")).join("\t")),
  ];
  return layOut(`${lines.join("\n")}\n`, width || undefined);
}

/** `--json`: the API's own objects, for programs. */
export function printJson(out: Output, value: unknown): void {
  out.line(JSON.stringify(value, null, 2));
}
