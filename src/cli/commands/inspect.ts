import { HavreError, isHavreError } from "../../base/mod.ts";
import type { Client } from "../../client/mod.ts";
import { jsonFlag } from "../args/common.ts";
import { text, toggle } from "../args/flags.ts";
import type { Context } from "../context.ts";
import { wrongTemplate } from "../output/format.ts";
import { indentJson } from "../output/json.ts";
import { Template } from "../template/mod.ts";

export const inspectFlags = {
  format: text(
    `Format output using a custom template:
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
    { short: "f" },
  ),
  json: { ...jsonFlag, help: "Print as JSON, which is the default" },
} as const;
export const sizeFlag = toggle("Display total file sizes if the type is container", { short: "s" });

/** Finds one object and gives its JSON text, or the daemon's complaint when there is no such thing. */
export type Lookup = (client: Client, name: string) => Promise<string | HavreError>;

export function containerLookup(size: boolean): Lookup {
  return (client, name) => lookUp(client, `/containers/${name}/json`, size);
}

export const imageLookup: Lookup = (client, name) => lookUp(client, `/images/${name}/json`, false);

async function lookUp(client: Client, path: string, size: boolean): Promise<string | HavreError> {
  try {
    const answer = await client.request("GET", path, { query: { size: size || undefined } });
    return (await answer.text()).trim();
  } catch (error) {
    if (isHavreError(error, "not-found")) return error;
    throw error;
  }
}

/** Prints what was found, by template or as a JSON array; what was not is said after it (Docker: `inspect`). */
export async function inspectAll(
  context: Context,
  names: readonly string[],
  format: string,
  find: Lookup,
): Promise<number> {
  const client = await context.client();
  const template = format === "" || format === "json" ? undefined : parse(format);
  const found: string[] = [];
  const complaints: string[] = [];
  for (const name of names) {
    const json = await find(client, name);
    if (typeof json === "string") found.push(json);
    else complaints.push(json.message);
  }
  if (template) for (const json of found) context.out.line(execute(template, JSON.parse(json)));
  else if (format === "json") context.out.line(`[${found.join(",")}]`);
  else context.out.line(indentJson(`[${found.join(",")}]`));
  for (const complaint of complaints) context.err.line(complaint);
  return complaints.length === 0 ? 0 : 1;
}

function parse(format: string): Template {
  try {
    return new Template(format);
  } catch (error) {
    if (error instanceof Error) throw new HavreError("invalid-argument", `template parsing error: ${error.message}`);
    throw error;
  }
}

function execute(template: Template, value: unknown): string {
  try {
    return template.execute(value);
  } catch (error) {
    throw wrongTemplate(error);
  }
}
