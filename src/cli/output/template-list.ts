import { HavreError } from "../../base/mod.ts";
import { type Row, Template, TemplateError } from "../template/mod.ts";
import { layOut } from "./columns.ts";
import type { ListView } from "./format.ts";

/** A list by the Go template of its format. */
export function renderTemplate(view: ListView, width: number | undefined): string {
  const isTable = view.format.startsWith("table");
  const source = view.format === "json" ? "{{json .}}" : isTable ? view.format.slice(5) : view.format;
  const template = parseTemplate(
    source
      .replace(/^ +| +$/g, "")
      .replaceAll("\\t", "\t")
      .replaceAll("\\n", "\n"),
  );
  let text = "";
  for (const row of view.rows) text += `${executeTemplate(template, row, view.typeName)}\n`;
  if (!isTable) return text;
  const heading = template.execute(headingRow(view.headings), { header: true, missingIsEmpty: true });
  return layOut(`${heading}\n${text}`, width || undefined);
}

/** A template from `--format`; `invalid-argument` with Docker's words. */
export function parseTemplate(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw wrongTemplate(error);
  }
}

export function executeTemplate(template: Template, value: unknown, typeName?: string): string {
  try {
    return template.execute(value, typeName === undefined ? {} : { typeName });
  } catch (error) {
    throw wrongTemplate(error);
  }
}

function wrongTemplate(error: unknown): unknown {
  if (!(error instanceof TemplateError)) return error;
  return new HavreError("invalid-argument", `template parsing error: ${error.message}`, { cause: error });
}

function headingRow(headings: Readonly<Record<string, string>>): Row {
  const fields = Object.entries(headings).map(([name, heading]) => [name, () => heading] as const);
  const label = (name: string) => (name.split(".").at(-1) ?? "").replaceAll(/[-_]/g, " ");
  return { ...Object.fromEntries(fields), Label: (name: string) => label(name) };
}
