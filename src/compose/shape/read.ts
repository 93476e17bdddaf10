import { nearest } from "../../base/mod.ts";
import { describe, type Entry, isList, isMapping, type Mapping, type Node, type Path } from "../source/node.ts";
import { type Problem, problemError } from "../source/problem.ts";
import type { ListShape, MapShape, RecordShape, ScalarShape, Shape } from "./shape.ts";

/**
 * Checks a tree against a shape and rewrites it in long forms and typed values. Keys without a value are left out.
 * `invalid-argument` with every place that is wrong.
 */
export function readShape(node: Node, shape: Shape, path: Path = []): Node {
  const reader = new Reader();
  const read = reader.read(node, shape, path);
  if (reader.problems.length > 0) throw problemError(reader.problems);
  return read;
}

class Reader {
  readonly problems: Problem[] = [];

  read(given: Node, shape: Shape, path: Path): Node {
    // What is to be taken away needs no right type.
    if (given.tag === "reset") return given;
    const expanded = shape.expand ? shape.expand(given, path) : given;
    const node = given.tag === undefined ? expanded : { ...expanded, tag: given.tag };
    switch (shape.kind) {
      case "any":
        return node;
      case "scalar":
        return this.#scalar(node, shape, path);
      case "list":
        return this.#list(node, shape, path);
      case "map":
        return this.#map(node, shape, path);
      case "record":
        return this.#record(node, shape, path);
    }
  }

  #scalar(node: Node, shape: ScalarShape, path: Path): Node {
    const { value } = node;
    const parsed = isMapping(value) || isList(value) ? undefined : shape.parse(value);
    if (parsed !== undefined && (!shape.values || shape.values.includes(String(parsed))))
      return { ...node, value: parsed };
    const near = shape.values && nearest(String(value), shape.values);
    const hint = near === undefined ? shape.hint : `Did you mean ${JSON.stringify(near)}?`;
    return this.#wrong(node, path, shape.expected, hint);
  }

  #list(node: Node, shape: ListShape, path: Path): Node {
    if (!isList(node.value)) return this.#wrong(node, path, "a list", "Each item begins with '- '");
    return { ...node, value: node.value.map((item, index) => this.read(item, shape.item, [...path, `[${index}]`])) };
  }

  #map(node: Node, shape: MapShape, path: Path): Node {
    if (!isMapping(node.value)) return this.#wrong(node, path, "a mapping", "Write KEY: VALUE");
    const mapping = new Map<string, Entry>();
    for (const [key, { keyAt, node: value }] of node.value) {
      if (shape.keys && !shape.keys.test(key))
        this.problems.push({
          at: keyAt,
          path,
          what: `${JSON.stringify(key)} is no name for a ${shape.noun}`,
          hint: "Letters, digits, dots, dashes and underscores make a name",
        });
      if (value.value === null && shape.nulls && value.tag !== "reset") mapping.set(key, { keyAt, node: value });
      else mapping.set(key, { keyAt, node: this.read(value, shape.value, [...path, key]) });
    }
    return { ...node, value: mapping };
  }

  #record(node: Node, shape: RecordShape, path: Path): Node {
    if (!isMapping(node.value)) return this.#wrong(node, path, "a mapping", "Write KEY: VALUE");
    const mapping = new Map<string, Entry>();
    for (const [key, entry] of node.value) {
      const field = Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined;
      if (field) {
        if (entry.node.value === null && entry.node.tag === undefined) continue;
        mapping.set(key, { ...entry, node: this.read(entry.node, field.shape, [...path, key]) });
      } else if (shape.open && key.startsWith("x-")) mapping.set(key, entry);
      else this.#unknown(key, entry, shape, path, node.value);
    }
    return { ...node, value: mapping };
  }

  #unknown(key: string, { keyAt }: Entry, shape: RecordShape, path: Path, mapping: Mapping): void {
    const free = Object.keys(shape.fields).filter((name) => !mapping.has(name));
    const near = nearest(key, free);
    const hint =
      near === undefined
        ? shape.open
          ? "Keys of your own begin with x-"
          : undefined
        : `Did you mean ${JSON.stringify(near)}?`;
    this.problems.push({
      at: keyAt,
      path,
      what: `unknown key ${JSON.stringify(key)}`,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #wrong(node: Node, path: Path, expected: string, hint: string | undefined): Node {
    const what = `must be ${expected}, not ${describe(node.value)}`;
    this.problems.push({ at: node.at, path, what, ...(hint === undefined ? {} : { hint }) });
    return node;
  }
}

/** Finds what a merged tree still lacks. */
export function missingKeys(node: Node, shape: Shape, path: Path = []): Problem[] {
  const { value } = node;
  if (shape.kind === "list" && isList(value))
    return value.flatMap((item, index) => missingKeys(item, shape.item, [...path, `[${index}]`]));
  if (!isMapping(value)) return [];
  if (shape.kind === "map")
    return [...value].flatMap(([key, { node: inner }]) => missingKeys(inner, shape.value, [...path, key]));
  if (shape.kind !== "record") return [];
  const missing = (shape.required ?? []).filter((key) => !value.has(key));
  return [
    ...missing.map((key) => ({ at: node.at, path, what: `${key} is missing` })),
    ...[...value].flatMap(([key, entry]) => {
      const field = shape.fields[key];
      return field ? missingKeys(entry.node, field.shape, [...path, key]) : [];
    }),
  ];
}
