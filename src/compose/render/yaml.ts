import type { Scalar } from "../source/node.ts";
import { resolvePlain } from "../source/scalar.ts";
import type { Printable, PrintableMapping } from "./canonical.ts";

/** YAML 1.1 words that other readers take for booleans. */
const WORDS = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/;
const SEXAGESIMAL = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;
const TIMESTAMP = /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{1,2}:\d{1,2}.*)?$/;

/** YAML as docker compose prints it: two blanks of indentation, quotes where another reader would see something else. */
export function printYaml(value: PrintableMapping): string {
  return value.size === 0 ? "{}\n" : `${mapping(value, 0).join("\n")}\n`;
}

function mapping(value: PrintableMapping, indent: number): string[] {
  return [...value].flatMap(([key, item]) => entry(`${" ".repeat(indent)}${printScalar(key, indent)}:`, item, indent));
}

function entry(head: string, item: Printable, indent: number): string[] {
  if (isMapping(item)) return item.size === 0 ? [`${head} {}`] : [head, ...mapping(item, indent + 2)];
  if (isList(item)) return item.length === 0 ? [`${head} []`] : [head, ...list(item, indent + 2)];
  return [`${head} ${printScalar(item, indent + 2)}`];
}

function list(items: readonly Printable[], indent: number): string[] {
  const dash = `${" ".repeat(indent)}- `;
  return items.flatMap((item) => {
    if (isMapping(item)) return item.size === 0 ? [`${dash}{}`] : dashed(dash, mapping(item, indent + 2));
    if (isList(item)) return item.length === 0 ? [`${dash}[]`] : dashed(dash, list(item, indent + 2));
    return [dash + printScalar(item, indent + 2)];
  });
}

function dashed(dash: string, lines: readonly string[]): string[] {
  return lines.map((line, index) => (index === 0 ? dash + line.slice(dash.length) : line));
}

const isMapping = (value: Printable): value is PrintableMapping => value instanceof Map;
const isList = (value: Printable): value is readonly Printable[] => Array.isArray(value);

function printScalar(value: Scalar, indent: number): string {
  if (value === null) return "null";
  if (typeof value === "number") return printNumber(value);
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  // A text that other readers take for a value keeps its quotes.
  if (typeof resolvePlain(value) !== "string" || WORDS.test(value) || SEXAGESIMAL.test(value) || TIMESTAMP.test(value))
    return doubleQuoted(value);
  if (value.includes("\n") && !/[^\P{C}\n\t]/u.test(value) && !/ $| \n/.test(value)) return literal(value, indent);
  if (/[^\P{C}]/u.test(value) || value.includes("\n")) return doubleQuoted(value);
  return isPlain(value) ? value : `'${value.replaceAll("'", "''")}'`;
}

function printNumber(value: number): string {
  if (Number.isInteger(value))
    return Math.abs(value) < 1e21 ? String(value) : value.toExponential().replace(/e\+?/, "e+");
  return String(value).replace(/e-(\d)$/, "e-0$1");
}

/** What needs no quotes (YAML 1.2.2, 7.3.3), as strictly as libyaml sees it. */
function isPlain(value: string): boolean {
  if (value === "" || /^\s|\s$/.test(value)) return false;
  if (/^(?:[,[\]{}#&*!|>'"%@`]|[-?:](?:\s|$)|---|\.\.\.)/.test(value)) return false;
  return !/:(?:\s|$)|\s#/.test(value);
}

function literal(value: string, indent: number): string {
  const trailing = /\n*$/.exec(value)?.[0].length ?? 0;
  const chomp = trailing === 0 ? "-" : trailing === 1 ? "" : "+";
  // Where it begins with what looks like indentation, the indentation is said. Docker compose drops a first line break.
  const said = /^[ \n]/.test(value) ? "2" : "";
  const lines = value.replace(/\n$/, "").split("\n");
  return `|${said}${chomp}\n${lines.map((line) => (line === "" ? "" : " ".repeat(indent) + line)).join("\n")}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\x85": "\\N",
  "\xa0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function doubleQuoted(value: string): string {
  const inside = value.replace(/["\\]|[^\P{C}]|[\xa0\u2028\u2029]/gu, (char) => {
    const code = char.codePointAt(0) ?? 0;
    const hex = code.toString(16).toUpperCase();
    if (code > 0xffff) return ESCAPES[char] ?? `\\U${hex.padStart(8, "0")}`;
    return ESCAPES[char] ?? (code < 0x100 ? `\\x${hex.padStart(2, "0")}` : `\\u${hex.padStart(4, "0")}`);
  });
  return `"${inside}"`;
}
