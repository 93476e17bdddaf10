import { HavreError } from "../../base/mod.ts";
import { jsonFault } from "./json-syntax.ts";

/**
 * Decoders for JSON bodies with the rules of Go's encoding/json, because those are the rules every client of this API was
 * written against: keys match without regard to case, unknown keys are ignored, `null` leaves the zero value, and a value
 * of the wrong type is refused by the name of its field.
 */
export interface Type<T> {
  /** Go's name of the type, as error messages have it. */
  readonly name: string;
  readonly zero: () => T;
  /** Never called with null or undefined. */
  readonly decode: (value: unknown, place: Place) => T;
}

/** Where in the body a value stands: the struct it is a field of, and the path to it from the top. */
export interface Place {
  readonly struct: string;
  readonly path: readonly string[];
}

export type Decoded<S> = S extends Type<infer T> ? T : never;

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "boolean") return "bool";
  return typeof value;
}

/** The refusal of a value that does not fit, in Go's words. */
export function mismatch(value: unknown, type: string, place: Place, literal = ""): HavreError {
  const where =
    place.path.length === 0
      ? `Go value of type ${type}`
      : `Go struct field ${place.struct}.${place.path.join(".")} of type ${type}`;
  return new HavreError(
    "invalid-argument",
    `invalid JSON: json: cannot unmarshal ${kindOf(value)}${literal} into ${where}`,
  );
}

/** A value of `type`, `null` and absence being its zero. */
export function decodeAs<T>(type: Type<T>, value: unknown, place: Place): T {
  return value === null || value === undefined ? type.zero() : type.decode(value, place);
}

function scalar<T extends string | boolean>(name: string, kind: "string" | "boolean", zero: T): Type<T> {
  return {
    name,
    zero: () => zero,
    decode: (value, place) => {
      if (typeof value !== kind) throw mismatch(value, name, place);
      return value as T;
    },
  };
}

export const string = scalar<string>("string", "string", "");
export const bool = scalar<boolean>("bool", "boolean", false);

/** A string that Go gives a name of its own (`mount.Type`). */
export function named<T extends string>(name: string): Type<T> {
  return scalar<T>(name, "string", "" as T);
}

function integer(name: string, min: number, max: number): Type<number> {
  return {
    name,
    zero: () => 0,
    decode: (value, place) => {
      if (typeof value !== "number") throw mismatch(value, name, place);
      if (!Number.isInteger(value) || value < min || value > max) throw mismatch(value, name, place, ` ${value}`);
      return value;
    },
  };
}

export const int64 = integer("int64", -(2 ** 63), 2 ** 63);
export const int = integer("int", -(2 ** 63), 2 ** 63);
export const uint = integer("uint", 0, 2 ** 64);
export const uint64 = integer("uint64", 0, 2 ** 64);
export const uint16 = integer("uint16", 0, 0xffff);
export const duration = integer("time.Duration", -(2 ** 63), 2 ** 63);
export const fileMode = integer("fs.FileMode", 0, 0xffffffff);

/** Keeps the difference between absent and zero. */
export function pointer<T>(type: Type<T>): Type<T | null> {
  return { name: type.name, zero: () => null, decode: type.decode };
}

export function list<T>(type: Type<T>): Type<readonly T[] | null> {
  const name = `[]${type.name}`;
  return {
    name,
    zero: () => null,
    decode: (value, place) => {
      if (!Array.isArray(value)) throw mismatch(value, name, place);
      return value.map((item) => decodeAs(type, item, place));
    },
  };
}

export function map<T>(type: Type<T>): Type<Readonly<Record<string, T>> | null> {
  const name = `map[string]${type.name}`;
  return {
    name,
    zero: () => null,
    decode: (value, place) => {
      if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, name, place);
      const entries = Object.entries(value as object).map(([key, item]) => [key, decodeAs(type, item, place)] as const);
      return Object.fromEntries(entries);
    },
  };
}

/** A map whose absence counts as empty. */
export function mapOrEmpty<T>(type: Type<T>): Type<Readonly<Record<string, T>>> {
  const nullable = map(type);
  return { name: nullable.name, zero: () => ({}), decode: (value, place) => nullable.decode(value, place) ?? {} };
}

/** A list whose absence counts as empty. */
export function listOrEmpty<T>(type: Type<T>): Type<readonly T[]> {
  const nullable = list(type);
  return { name: nullable.name, zero: () => [], decode: (value, place) => nullable.decode(value, place) ?? [] };
}

/** Go's `struct{}`: the values of sets written as maps. */
export const emptyStruct: Type<Record<string, never>> = {
  name: "struct {}",
  zero: () => ({}),
  decode: (value, place) => {
    if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, "struct {}", place);
    return {};
  },
};

/** Docker's StrSlice: a list of strings, or one string that stands for a list of one. */
export const stringOrList: Type<readonly string[] | null> = {
  name: "[]string",
  zero: () => null,
  decode: (value, place) => {
    if (typeof value === "string") return [value];
    if (!Array.isArray(value)) throw mismatch(value, "string", place);
    return value.map((item) => {
      if (item !== null && typeof item !== "string") throw mismatch(value, "string", place);
      return item ?? "";
    });
  },
};

export interface Field<T> {
  readonly type: Type<T>;
  /** Name of the Go struct embedded in this one that holds the field; part of the path in messages. */
  readonly embedded?: string;
}
export type Fields = Readonly<Record<string, Type<unknown> | Field<unknown>>>;
type FieldValue<F> = F extends Field<infer T> ? T : F extends Type<infer T> ? T : never;
export type StructValue<F extends Fields> = { readonly [Name in keyof F]: FieldValue<F[Name]> };

export function embedded<F extends Readonly<Record<string, Type<unknown>>>>(
  name: string,
  fields: F,
): { readonly [Name in keyof F]: Field<Decoded<F[Name]>> } {
  const entries = Object.entries(fields).map(([key, type]) => [key, { type, embedded: name }] as const);
  return Object.fromEntries(entries) as { readonly [Name in keyof F]: Field<Decoded<F[Name]>> };
}

function asField(field: Type<unknown> | Field<unknown>): Field<unknown> {
  return "type" in field ? field : { type: field };
}

/**
 * A struct: every field is there in the result. `name` is Go's bare name of it (`HostConfig`), `qualified` the name with its package
 * for a value that is no object at all.
 */
export function struct<F extends Fields>(name: string, qualified: string, fields: F): Type<StructValue<F>> {
  const table = Object.entries(fields).map(([key, field]) => [key, asField(field)] as const);
  const exact = new Map(table);
  const folded = new Map(table.map(([key, field]) => [key.toLowerCase(), { key, field }]));
  return {
    name: qualified,
    zero: () => Object.fromEntries(table.map(([key, field]) => [key, field.type.zero()])) as StructValue<F>,
    decode: (value, place) => {
      if (typeof value !== "object" || Array.isArray(value)) throw mismatch(value, qualified, place);
      const result: Record<string, unknown> = {};
      for (const [given, item] of Object.entries(value as object)) {
        const field = exact.get(given);
        const match = field ? { key: given, field } : folded.get(given.toLowerCase());
        if (!match || item === null) continue;
        const path = [...place.path, ...(match.field.embedded ? [match.field.embedded] : []), match.key];
        result[match.key] = match.field.type.decode(item, { struct: name, path });
      }
      for (const [key, field] of table) if (!(key in result)) result[key] = field.type.zero();
      return result as StructValue<F>;
    },
  };
}

type Omitting<T, K extends keyof T> = Omit<T, K> & { readonly [Name in K]?: NonNullable<T[Name]> };

function omitting<T extends object, K extends keyof T>(
  type: Type<T>,
  names: readonly K[],
  isEmpty: (value: unknown) => boolean,
): Type<Omitting<T, K>> {
  const strip = (value: T) => {
    const result = { ...value };
    for (const name of names) if (isEmpty(result[name])) delete result[name];
    return result as Omitting<T, K>;
  };
  return {
    name: type.name,
    zero: () => strip(type.zero()),
    decode: (value, place) => strip(type.decode(value, place)),
  };
}

/** Go's `omitempty`: the struct without these fields where they hold the zero of their type. */
export function omitEmpty<T extends object, K extends keyof T>(
  type: Type<T>,
  ...names: readonly K[]
): Type<Omitting<T, K>> {
  const isEmpty = (value: unknown) =>
    value === null ||
    value === "" ||
    value === 0 ||
    value === false ||
    (typeof value === "object" && Object.keys(value).length === 0);
  return omitting(type, names, isEmpty);
}

/** The struct without these pointers where they are nil; a pointer to zero stays. */
export function omitNull<T extends object, K extends keyof T>(
  type: Type<T>,
  ...names: readonly K[]
): Type<Omitting<T, K>> {
  return omitting(type, names, (value) => value === null);
}

/** Whether any key of `value` is a field of these. */
export function mentions(value: object, fields: Fields): boolean {
  const names = new Set(Object.keys(fields).map((name) => name.toLowerCase()));
  return Object.entries(value).some(([key, item]) => item !== null && names.has(key.toLowerCase()));
}

/** The one JSON value in `text`; `invalid-argument` in the daemon's words when there is none, or more than one. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const fault = jsonFault(text);
    if (fault?.kind === "trailing")
      throw new HavreError("invalid-argument", "unexpected content after JSON", { cause });
    if (fault?.kind === "syntax") throw new HavreError("invalid-argument", `invalid JSON: ${fault.message}`, { cause });
    throw new HavreError("invalid-argument", "invalid JSON: got EOF while reading request body", { cause });
  }
}

/** The body `text` as `type`. */
export function decodeJson<T>(type: Type<T>, text: string): T {
  return decodeAs(type, parseJson(text), { struct: "", path: [] });
}
