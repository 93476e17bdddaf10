import { HavreError } from "../../base/mod.ts";
import { type Row, Template, TemplateError } from "../template/mod.ts";
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
  out.write(await renderList(view, view.fit && out.isTerminal ? await columnsOf(out) : undefined));
}

async function columnsOf(_out: Output): Promise<number> {
  const { terminalSize } = await import("./terminal.ts");
  return (await terminalSize(1)).columns;
}

export function renderList(view: ListView, width?: number): string {
  const isTable = view.format.startsWith("table");
  const source = view.format === "json" ? "{{json .}}" : isTable ? view.format.slice(5) : view.format;
  const template = parse(
    source
      .replace(/^ +| +$/g, "")
      .replaceAll("\\t", "\t")
      .replaceAll("\\n", "\n"),
  );
  let text = "";
  for (const row of view.rows) text += `${execute(template, row, view.typeName)}\n`;
  if (!isTable) return text;
  const heading = template.execute(headingRow(view.headings), { header: true, missingIsEmpty: true });
  return layOut(`${heading}\n${text}`, width || undefined);
}

function parse(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw wrongTemplate(error);
  }
}

function execute(template: Template, row: unknown, typeName: string): string {
  try {
    return template.execute(row, { typeName });
  } catch (error) {
    throw wrongTemplate(error);
  }
}

export function wrongTemplate(error: unknown): unknown {
  if (!(error instanceof TemplateError)) return error;
  return new HavreError("invalid-argument", `template parsing error: ${error.message}`, { cause: error });
}

function headingRow(headings: Readonly<Record<string, string>>): Row {
  const fields = Object.entries(headings).map(([name, heading]) => [name, () => heading] as const);
  const label = (name: string) => (name.split(".").at(-1) ?? "").replaceAll(/[-_]/g, " ");
  return { ...Object.fromEntries(fields), Label: (name: string) => label(name) };
}

/** `--json`: the API's own objects, for programs. */
export function printJson(out: Output, value: unknown): void {
  out.line(JSON.stringify(value, null, 2));
}
