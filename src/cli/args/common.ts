import { HavreError } from "../../base/mod.ts";
import { type Flag, text, toggle, value } from "./flags.ts";

export type Filters = Readonly<Record<string, readonly string[]>>;

/** `--filter name=value`, many times. */
export function filterFlag(help = "Filter output based on conditions provided"): Flag<Filters> {
  return value<Filters>("filter", help, {}, addFilter, { short: "f" });
}

function addFilter(condition: string, previous: Filters): Filters {
  if (condition === "") return previous;
  const equals = condition.indexOf("=");
  if (equals < 0) throw new HavreError("invalid-argument", "bad format of filter (expected name=value)");
  const name = condition.slice(0, equals).trim().toLowerCase();
  const wanted = condition.slice(equals + 1).trim();
  return { ...previous, [name]: [...(previous[name] ?? []), wanted] };
}

/** The API's form of filters: a JSON object of lists; nothing when there are none. */
export function filtersQuery(filters: Filters): string | undefined {
  return Object.keys(filters).length === 0 ? undefined : JSON.stringify(filters);
}

export const formatFlag = text(
  `Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template`,
);

export const jsonFlag = toggle("Print the API's own objects as JSON");
export const noTruncFlag = toggle("Don't truncate output");

export function quietFlag(help: string): Flag<boolean> {
  return toggle(help, { short: "q" });
}
