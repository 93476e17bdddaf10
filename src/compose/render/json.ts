import type { Printable } from "./canonical.ts";

const ESCAPED: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/**
 * JSON byte for byte as Go's `encoding/json` makes it, with its escapes: hashes are taken of it. Written by hand, since
 * an object would bring keys that look like numbers to the front.
 */
export function printJson(value: Printable, indent = 0): string {
  const { open, close, comma, colon } = joints(indent, 0);
  return print(value, indent, 0, { open, close, comma, colon });
}

interface Joints {
  readonly open: string;
  readonly close: string;
  readonly comma: string;
  readonly colon: string;
}

function joints(indent: number, depth: number): Joints {
  if (indent === 0) return { open: "", close: "", comma: ",", colon: ":" };
  const inner = `\n${" ".repeat(indent * (depth + 1))}`;
  return { open: inner, close: `\n${" ".repeat(indent * depth)}`, comma: `,${inner}`, colon: ": " };
}

function print(value: Printable, indent: number, depth: number, { open, close, comma, colon }: Joints): string {
  if (typeof value === "bigint") return String(value);
  if (!(value instanceof Map) && !Array.isArray(value)) return quote(JSON.stringify(value));
  const next = joints(indent, depth + 1);
  const inner = (item: Printable) => print(item, indent, depth + 1, next);
  const [first, last] = value instanceof Map ? "{}" : "[]";
  const parts =
    value instanceof Map
      ? [...value].map(([key, item]) => quote(JSON.stringify(key)) + colon + inner(item))
      : (value as readonly Printable[]).map(inner);
  return parts.length === 0 ? `${first}${last}` : first + open + parts.join(comma) + close + last;
}

function quote(text: string): string {
  return text.replace(/[<>&\u2028\u2029]/g, (char) => ESCAPED[char] ?? char);
}
