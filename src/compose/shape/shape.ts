import type { Node, Path, Scalar } from "../source/node.ts";

/**
 * What may stand at a place of a Compose file, in its long form, and how two files' words for it become one. One table
 * of shapes (`schema/`) is what files are checked against, merged by and printed from, and what the model's types are
 * taken from, so that these cannot differ.
 */
export type Shape<T = unknown> = (ScalarShape | ListShape | MapShape | RecordShape | AnyShape) & {
  /** For types only. */
  readonly type?: T;
};
export type TypeOf<S> = S extends Shape<infer T> ? T : never;

interface Common {
  /** Rewrites a short form as the long one; other values are returned as they are. */
  readonly expand?: (node: Node, path: Path) => Node;
}

export interface ScalarShape extends Common {
  readonly kind: "scalar";
  /** Completes "must be …". */
  readonly expected: string;
  /** The value in the model, or undefined when it is none of the kind. */
  readonly parse: (value: Scalar) => Scalar | undefined;
  /** The model's value as it is printed. */
  readonly print?: (value: Scalar) => Scalar;
  /** The only values, when there are few. */
  readonly values?: readonly string[];
  /** What to do about a value of the wrong kind. */
  readonly hint?: string;
}

export interface ListShape extends Common {
  readonly kind: "list";
  readonly item: Shape;
  /** A later file's list: is added (default), or stands instead. */
  readonly merge?: "replace";
  /** Items with the same key are one: the later stands, in the earlier's place, or is merged with it. */
  readonly key?: (item: Node) => string;
  readonly mergeItems?: true;
  /** Printed in order of bytes. */
  readonly sorted?: true;
}

export interface MapShape extends Common {
  readonly kind: "map";
  readonly value: Shape;
  /** What its keys are called in messages: `service`. */
  readonly noun: string;
  readonly keys?: RegExp;
  /** A key without value stays. */
  readonly nulls?: true;
}

export interface RecordShape extends Common {
  readonly kind: "record";
  /** In the order of printing. */
  readonly fields: Readonly<Record<string, Field>>;
  /** Keys of which one at least, or exactly these, must be there in the end. */
  readonly required?: readonly string[];
  /** `x-` keys are allowed and kept. */
  readonly open: boolean;
  /** Printed as the value of this key alone, when it is there. */
  readonly unwrap?: string;
  /** False: a later file's record stands instead. */
  readonly mergeIf?: (base: Node, over: Node) => boolean;
}

/** Whatever it is, as it is. */
export interface AnyShape extends Common {
  readonly kind: "any";
}

export interface Field<T = unknown> {
  readonly shape: Shape<T>;
  /** Printed even when it is false, zero or empty; `yaml`: there alone. */
  readonly keepsZero?: true | "yaml";
  /** Name in JSON where it is another. */
  readonly json?: string;
  /** In JSON even when absent: as null, or as an empty record. */
  readonly jsonAlways?: null | "record";
  /** Read, and left out of the canonical form. */
  readonly hidden?: true;
}
type FieldOr<T> = Shape<T> | Field<T>;
type FieldTypes<F> = {
  readonly [K in keyof F]?: F[K] extends Field<infer T> ? T : F[K] extends Shape<infer T> ? T : never;
};

export function scalar<T extends Scalar>(
  expected: string,
  parse: (value: Scalar) => T | undefined,
  more: Partial<Omit<ScalarShape, "kind" | "parse">> = {},
): Shape<T> {
  return { kind: "scalar", expected, parse, ...more };
}

export function list<T>(item: Shape<T>, more: Partial<Omit<ListShape, "kind" | "item">> = {}): Shape<readonly T[]> {
  return { kind: "list", item, ...more };
}

export function map<T>(
  noun: string,
  value: Shape<T>,
  more: Partial<Omit<MapShape, "kind" | "value" | "noun">> = {},
): Shape<Readonly<Record<string, T>>> {
  return { kind: "map", noun, value, ...more };
}

export function record<F extends Readonly<Record<string, FieldOr<unknown>>>>(
  fields: F,
  more: Partial<Omit<RecordShape, "kind" | "fields">> = {},
): Shape<FieldTypes<F>> {
  const entries = Object.entries(fields).map(([name, field]) => [name, "kind" in field ? { shape: field } : field]);
  return { kind: "record", open: true, fields: Object.fromEntries(entries) as Record<string, Field>, ...more };
}

/** A field that is printed even when it is false, zero or empty. */
export function kept<T>(shape: Shape<T>): Field<T> {
  return { shape, keepsZero: true };
}

/** Gives a shape its short form. */
export function withShort<S extends Shape>(shape: S, expand: (node: Node, path: Path) => Node): S {
  return { ...shape, expand };
}

export const anything: Shape<unknown> = { kind: "any" };
