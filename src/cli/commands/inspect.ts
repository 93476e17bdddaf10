import { type HavreError, isHavreError } from "../../base/mod.ts";
import type { Client } from "../../client/mod.ts";
import { jsonFlag } from "../args/common.ts";
import { text, toggle } from "../args/flags.ts";
import type { Context } from "../context.ts";
import { indentJson } from "../output/json.ts";

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

export const volumeLookup: Lookup = (client, name) => lookUp(client, volumePath(name), false);

/** A plug-in's volumes may have any name; slashes stay what they are. */
export function volumePath(name: string): string {
  return `/volumes/${name.split("/").map(encodeURIComponent).join("/")}`;
}
export const networkLookup: Lookup = (client, name) => lookUp(client, `/networks/${encodeURIComponent(name)}`, false);

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
  const show = format === "" || format === "json" ? undefined : await templateOf(format);
  const found: string[] = [];
  const complaints: string[] = [];
  for (const name of names) {
    const json = await find(client, name);
    if (typeof json === "string") found.push(json);
    else complaints.push(json.message);
  }
  if (show) for (const json of found) context.out.line(show(JSON.parse(json)));
  else if (format === "json") context.out.line(`[${found.join(",")}]`);
  else context.out.line(indentJson(`[${found.join(",")}]`));
  for (const complaint of complaints) context.err.line(complaint);
  return complaints.length === 0 ? 0 : 1;
}

async function templateOf(format: string): Promise<(value: unknown) => string> {
  const { executeTemplate, parseTemplate } = await import("../output/template-list.ts");
  const template = parseTemplate(format);
  return (value) => executeTemplate(template, value);
}
