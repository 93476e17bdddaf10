import { formatGo } from "./printf.ts";
import { TemplateError } from "./syntax.ts";
import { isObject, type Kinds, toJson } from "./values.ts";

export type TemplateFunction = (args: readonly unknown[], kinds: Kinds) => unknown;

const text = (value: unknown): string => {
  if (typeof value === "string") return value;
  throw new TemplateError(`wrong type for value; expected string; got ${goType(value)}`);
};
const listOf = (value: unknown): readonly unknown[] => {
  if (Array.isArray(value)) return value;
  throw new TemplateError(`wrong type for value; expected []string; got ${goType(value)}`);
};
const count = (value: unknown): number => {
  if (typeof value === "number") return value;
  throw new TemplateError(`wrong type for value; expected int; got ${goType(value)}`);
};

function goType(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float64";
  if (typeof value === "boolean") return "bool";
  if (Array.isArray(value)) return "[]interface {}";
  return typeof value === "string" ? "string" : "map[string]interface {}";
}

function compare(name: string, holds: (order: number) => boolean): TemplateFunction {
  return ([left, ...rights]) => {
    if (rights.length === 0) throw new TemplateError("missing argument for comparison");
    return rights.some((right) => {
      if (left !== undefined && right !== undefined && typeof left !== typeof right)
        throw new TemplateError(`error calling ${name}: incompatible types for comparison`);
      if (left === right) return holds(0);
      if (typeof left === "object" || typeof right === "object")
        throw new TemplateError(`error calling ${name}: non-comparable type`);
      return holds(String(left) === left ? (left < String(right) ? -1 : 1) : Number(left) < Number(right) ? -1 : 1);
    });
  };
}

function index([container, ...keys]: readonly unknown[], kinds: Kinds): unknown {
  let value = container;
  for (const key of keys) {
    if (Array.isArray(value) || typeof value === "string") {
      const at = count(key);
      if (at < 0 || at >= value.length)
        throw new TemplateError(`error calling index: reflect: slice index out of range`);
      value = typeof value === "string" ? value.charCodeAt(at) : value[at];
    } else if (isObject(value)) {
      // A missing key of a map of texts is the empty text; of other maps, nothing.
      const texts = Object.values(value).every((item) => typeof item === "string");
      value = Object.hasOwn(value, String(key)) ? kinds.field(value, String(key))?.value : texts ? "" : undefined;
    } else throw new TemplateError(`error calling index: index of untyped nil`);
  }
  return value;
}

function slice([value, from = 0, to]: readonly unknown[]): unknown {
  if (typeof value !== "string" && !Array.isArray(value))
    throw new TemplateError(`error calling slice: can't slice item of type ${goType(value)}`);
  return value.slice(count(from), to === undefined ? undefined : count(to));
}

function length([value]: readonly unknown[]): number {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (isObject(value)) return Object.keys(value).length;
  throw new TemplateError(`error calling len: len of type ${goType(value)}`);
}

/** Go's fmt.Sprint: spaces between operands when neither is a string. */
function print(args: readonly unknown[], kinds: Kinds): string {
  return args.reduce<string>((out, value, at) => {
    const gap = at > 0 && typeof value !== "string" && typeof args[at - 1] !== "string" ? " " : "";
    return out + gap + kinds.print(value);
  }, "");
}

const titled = (value: string) =>
  value.replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_whole, before, letter) => before + letter.toUpperCase());

export const functions: Readonly<Record<string, TemplateFunction>> = {
  json: ([value]) => toJson(value),
  split: ([value, separator]) => text(value).split(text(separator)),
  join: ([values, separator]) => listOf(values).map(String).join(text(separator)),
  title: ([value]) => titled(text(value)),
  lower: ([value]) => text(value).toLowerCase(),
  upper: ([value]) => text(value).toUpperCase(),
  pad: ([value, before, after]) =>
    text(value) === "" ? "" : " ".repeat(count(before)) + text(value) + " ".repeat(count(after)),
  truncate: ([value, size]) => text(value).slice(0, count(size)),
  len: length,
  index,
  slice,
  print,
  println: (args, kinds) => `${args.map((value) => kinds.print(value)).join(" ")}\n`,
  printf: ([format, ...args], kinds) => formatGo(text(format), args, kinds),
  eq: compare("eq", (order) => order === 0),
  ne: ([left, right]) => left !== right,
  lt: compare("lt", (order) => order < 0),
  le: compare("le", (order) => order <= 0),
  gt: compare("gt", (order) => order > 0),
  ge: compare("ge", (order) => order >= 0),
  and: (args, kinds) => args.find((value) => !kinds.isTrue(value)) ?? args.at(-1),
  or: (args, kinds) => args.find((value) => kinds.isTrue(value)) ?? args.at(-1),
  not: ([value], kinds) => !kinds.isTrue(value),
  html: (args, kinds) =>
    print(args, kinds).replace(
      /[&<>'"]/g,
      (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&#39;", '"': "&#34;" })[c] ?? c,
    ),
  urlquery: (args, kinds) => encodeURIComponent(print(args, kinds)).replaceAll("%20", "+"),
};

/** In a table's header line every formatting function leaves its value alone. */
const HEADER = new Set(["json", "split", "join", "title", "lower", "upper", "truncate"]);
export const headerFunctions: Readonly<Record<string, TemplateFunction>> = Object.fromEntries(
  Object.entries(functions).map(([name, call]) => [
    name,
    HEADER.has(name) ? ([value]: readonly unknown[]) => value : call,
  ]),
);

export function isFunction(name: string): boolean {
  return Object.hasOwn(functions, name);
}
