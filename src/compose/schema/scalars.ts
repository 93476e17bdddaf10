import { parseGoDuration } from "../../spec/mod.ts";
import { list, map, type Shape, scalar, withShort } from "../shape/shape.ts";
import type { Node, Scalar } from "../source/node.ts";
import { fail } from "../source/problem.ts";
import { formatDuration } from "./duration.ts";
import { splitWords } from "./shell-words.ts";

export const text = scalar("text", (value) => (typeof value === "string" ? value : undefined), {
  hint: "Put it in quotes",
});

export const textOrNumber = scalar("text", (value) =>
  typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined,
);

/** One of a few words. */
export function choice<const V extends readonly string[]>(...values: V): Shape<V[number]> {
  return scalar(
    `one of ${values.join(", ")}`,
    (value) => (typeof value === "string" ? (value as V[number]) : undefined),
    {
      values,
    },
  );
}

const TRUE = ["true", "yes", "y", "on"];
const FALSE = ["false", "no", "n", "off"];

export const bool = scalar("true or false", (value) => {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  const word = value.toLowerCase();
  return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
});

function numeric(value: Scalar): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "string" || !/^[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?$/.test(value)) return undefined;
  return Number(value);
}

export const integer = scalar("a whole number", (value) => {
  const number = numeric(value);
  return Number.isSafeInteger(number) ? number : undefined;
});

export const float = scalar("a number", numeric);

const SIZE = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?$/i;

/** Bytes: `512`, `64m`, `1.5gb`; units of 1024. Printed as text, as Compose does. */
export const bytes = scalar(
  "a size",
  (value) => {
    if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
    if (typeof value !== "string") return undefined;
    if (value === "-1") return -1;
    const found = SIZE.exec(value);
    if (!found) return undefined;
    const power = found[2] === undefined ? 0 : "kmgtp".indexOf(found[2].toLowerCase()) + 1;
    return Math.trunc(Number(found[1]) * 1024 ** power);
  },
  { print: String, hint: "A number and a unit: 64m, 1.5gb" },
);

/** Nanoseconds: `1m30s`. */
export const duration = scalar(
  "a duration",
  (value) => (typeof value === "string" ? parseGoDuration(value) : value === 0 ? 0 : undefined),
  { print: (value) => formatDuration(Number(value)), hint: "Numbers with their units: 10s, 1m30s, 500ms" },
);

/** A mode of a file: `0440`, or its digits as text. */
export const fileMode = scalar("an octal mode", (value) => {
  if (typeof value === "number") return Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  if (typeof value === "string" && /^0?o?[0-7]+$/.test(value)) return Number.parseInt(value.replace("o", ""), 8);
  return undefined;
});

/** Items of the same text are one. */
export const sameText = (item: Node): string => String(item.value);

export const texts = list(text, { key: sameText });

/** One text, or a list of them. */
export const textOrList = withShort(texts, (node) => (typeof node.value === "string" ? wrap(node) : node));

export const wrap = (node: Node): Node => ({ value: [node], at: node.at });

/** A command: words, or a text that is parted as a shell would. */
export const command = withShort(list(textOrNumber, { merge: "replace" }), (node, path) => {
  if (typeof node.value !== "string") return node;
  const words = splitWords(node.value);
  if (words === undefined) fail(node.at, path, `the quotes in ${JSON.stringify(node.value)} are not closed`);
  return { ...node, value: words.map((word) => ({ value: word, at: node.at })) };
});

/** Go's printing of a value in a map of texts: numbers that are not whole, or too large for it, with an exponent. */
function valueText(value: Scalar): string | undefined {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    const exponent = Math.floor(Math.log10(Math.abs(value)));
    if (exponent < -4 || exponent >= 6) return value.toExponential().replace(/e([-+])(\d)$/, "e$10$2");
  }
  return value === null ? undefined : String(value);
}

const mappingText = scalar("text, a number, true or false", valueText);
const optionText = scalar("text, a number, true or false", (value) => valueText(value) ?? "");

/** `KEY: VALUE`, or a list of `KEY=VALUE`. A key alone is null. */
function keyValues(node: Node): Node {
  if (!Array.isArray(node.value)) return node;
  const entries = new Map(
    (node.value as readonly Node[]).map((item) => {
      const word = String(item.value);
      const equals = word.indexOf("=");
      const key = equals < 0 ? word : word.slice(0, equals);
      const value = equals < 0 ? null : word.slice(equals + 1);
      return [key, { keyAt: item.at, node: { value, at: item.at } }];
    }),
  );
  return { ...node, value: entries };
}

/** A variable without value is one that takes it from outside. */
export const environment: Shape<Readonly<Record<string, string | null>>> = withShort(
  map("variable", mappingText, { nulls: true }),
  keyValues,
);

/** A key without value has an empty one. */
export const labels = withShort(map("label", optionText), keyValues);
export const options = map("option", optionText);
