import type { Field, RecordShape, Shape } from "../shape/shape.ts";
import type { Scalar } from "../source/node.ts";

/** A value ready for printing; mappings are in order. */
export type Printable = Scalar | readonly Printable[] | PrintableMapping;
export type PrintableMapping = ReadonlyMap<string, Printable>;
/** JSON as docker compose hashes and prints it differs from its YAML in a few fields. */
export type Target = "yaml" | "json";

/** A model's value in canonical form: fields in their order, maps sorted, what is zero or empty left out. */
export function canonical(value: unknown, shape: Shape, target: Target): Printable {
  if (value === null || value === undefined) return null;
  if (shape.kind === "any") return sorted(value, target);
  if (shape.kind === "scalar") return shape.print ? shape.print(value as Scalar) : (value as Scalar);
  if (shape.kind === "list") {
    const items = (value as readonly unknown[]).map((item) => canonical(item, shape.item, target));
    return shape.sorted ? items.sort((a, b) => compareBytes(String(a), String(b))) : items;
  }
  const given = value as Readonly<Record<string, unknown>>;
  if (shape.kind === "map")
    return new Map(sortKeys(given, target).map((key) => [key, canonical(given[key], shape.value, target)]));
  if (shape.unwrap !== undefined && given[shape.unwrap] !== undefined) return given[shape.unwrap] as Scalar;
  return canonicalRecord(given, shape, target);
}

function canonicalRecord(given: Readonly<Record<string, unknown>>, shape: RecordShape, target: Target): Printable {
  const result = new Map<string, Printable>();
  for (const [name, field] of Object.entries(shape.fields)) {
    if (field.hidden) continue;
    const printed = canonicalField(given[name], field, target);
    if (printed !== undefined) result.set(target === "json" ? (field.json ?? name) : name, printed);
  }
  if (target === "json") return result;
  const extra = Object.fromEntries(Object.entries(given).filter(([key]) => key.startsWith("x-")));
  for (const key of sortKeys(extra, target)) result.set(key, sorted(extra[key], target));
  return result;
}

function canonicalField(value: unknown, field: Field, target: Target): Printable | undefined {
  const absent = value === undefined || value === null;
  if (target === "json" && absent && field.jsonAlways !== undefined)
    return field.jsonAlways === null ? null : canonical({}, field.shape, target);
  if (absent) return undefined;
  const printed = canonical(value, field.shape, target);
  const always =
    field.keepsZero === true || field.keepsZero === target || (target === "json" && field.jsonAlways !== undefined);
  return always || !isZero(value) ? printed : undefined;
}

function isZero(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === "object" && value !== null) return Object.values(value).every(isZero) && isBare(value);
  return value === false || value === 0 || value === "" || value === null || value === undefined;
}

/** An empty mapping is nothing; one whose keys alone say something is not. */
function isBare(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** A value of no known shape. */
export function sorted(value: unknown, target: Target): Printable {
  if (Array.isArray(value)) return value.map((item) => sorted(item, target));
  if (typeof value !== "object" || value === null) return value as Scalar;
  const given = value as Readonly<Record<string, unknown>>;
  return new Map(sortKeys(given, target).map((key) => [key, sorted(given[key], target)]));
}

function sortKeys(value: object, target: Target): string[] {
  return Object.keys(value).sort(target === "json" ? compareBytes : compareNaturally);
}

/** Order of UTF-8 bytes. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

const isLetter = (char: string): boolean => /\p{L}/u.test(char);
const isDigit = (char: string | undefined): boolean => char !== undefined && /\p{Nd}/u.test(char);

/** Order of keys in the YAML that Go programs print: numbers by value, letters after other characters. */
export function compareNaturally(left: string, right: string): number {
  const [a, b] = [[...left], [...right]];
  let afterDigit = false;
  for (let at = 0; at < a.length && at < b.length; at++) {
    const [charA, charB] = [a[at] ?? "", b[at] ?? ""];
    if (charA === charB) {
      afterDigit = isDigit(charA);
      continue;
    }
    const [letterA, letterB] = [isLetter(charA), isLetter(charB)];
    if (letterA && letterB) return charA < charB ? -1 : 1;
    if (letterA || letterB) return (afterDigit ? letterA : letterB) ? -1 : 1;
    return compareNumbers(a, b, at) || (charA < charB ? -1 : 1);
  }
  return a.length - b.length;
}

function compareNumbers(a: readonly string[], b: readonly string[], at: number): number {
  // Within a number that has begun, the longer run of digits is the larger number, leading zeros or not.
  let lead = 0;
  if (a[at] === "0" || b[at] === "0")
    for (let back = at - 1; back >= 0 && isDigit(a[back]); back--)
      if (a[back] !== "0") {
        lead = 1;
        break;
      }
  const read = (from: readonly string[]) => {
    let value = lead;
    let end = at;
    for (; isDigit(from[end]); end++) value = value * 10 + Number(from[end]);
    return { value, end };
  };
  const [first, second] = [read(a), read(b)];
  return first.value - second.value || first.end - second.end;
}
