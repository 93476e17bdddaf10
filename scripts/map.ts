/**
 * The table of layers as a Mermaid picture and a table, for `docs/architecture.md`.
 *
 *     bun scripts/map.ts     writes them between the page's markers
 */
import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { LAYERS } from "./layers.ts";

const PAGE = resolve(import.meta.dirname, "../docs/architecture.md");
const BEGIN = "<!-- made by scripts/map.ts -->\n";
const END = "<!-- end -->\n";

/** The page as it is, and as the table says it should be. */
export function architecturePage(): { readonly now: string; readonly wanted: string } {
  const now = readFileSync(PAGE, "utf8");
  const [begin, end] = [now.indexOf(BEGIN), now.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error("docs/architecture.md has lost the markers of its map");
  return { now, wanted: `${now.slice(0, begin)}${BEGIN}${picture()}\n${table()}${now.slice(end)}` };
}

/** Solid arrows import, dotted ones import types only. `daemon`, which may import all, has none. */
function picture(): string {
  const drawn = Object.entries(LAYERS).filter(([name]) => name !== "daemon" && name !== "base" && name !== "spec");
  const arrows = drawn.flatMap(([name, { imports, interfaces = [] }]) => [
    ...imports.map((target) => `  ${name} --> ${target}`),
    ...(name === "api" ? [] : interfaces.map((target) => `  ${name} -.-> ${target}`)),
  ]);
  const later = drawn.filter(([, layer]) => layer.later).map(([name]) => name);
  return [
    "```mermaid",
    "flowchart BT",
    ...drawn.map(([name]) => `  ${name}`),
    ...arrows,
    "  api -.-> engine & images",
    "  classDef later stroke-dasharray: 4 4,opacity: 0.6",
    `  class ${later.join(",")} later`,
    "```",
    "",
  ].join("\n");
}

function table(): string {
  const rows = Object.entries(LAYERS).map(([name, { what, imports, interfaces = [], later }]) => {
    const all = name === "daemon" ? "all" : imports.join(", ");
    const types = name === "api" ? "all above but kernel and client" : interfaces.join(", ");
    const may = [all, types === "" ? "" : `types of ${types}`].filter((part) => part !== "").join("; ");
    return `| \`${name}\`${later ? " (later)" : ""} | ${what} | ${may} |\n`;
  });
  return `| folder | what lives there | may import |\n|---|---|---|\n${rows.join("")}`;
}

if (import.meta.main) writeFileSync(PAGE, architecturePage().wanted);
