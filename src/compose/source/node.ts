/** A value of a Compose file that knows where it was written. */
export interface Node {
  readonly value: Value;
  readonly at: Position;
  /** `!reset` takes away what earlier files say of this key, `!override` replaces it instead of merging. */
  readonly tag?: MergeTag;
}

export type Value = Scalar | readonly Node[] | Mapping;
/** Whole numbers too large for `number` are `bigint`. */
export type Scalar = string | number | bigint | boolean | null;
export type Mapping = ReadonlyMap<string, Entry>;
export type MergeTag = "reset" | "override";

/** One key of a mapping: where the key itself stands, and its value. */
export interface Entry {
  readonly keyAt: Position;
  readonly node: Node;
}

/** A place in a file. Lines are counted only when somebody asks. */
export interface Position {
  readonly source: Source;
  /** UTF-16 units from the file's start. */
  readonly offset: number;
}

export interface Source {
  /** As the user named it. */
  readonly path: string;
  readonly text: string;
}

/** Keys from the root down to a value; a list's items are `[0]`, `[1]` … */
export type Path = readonly string[];

export function isMapping(value: Value): value is Mapping {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Node[] {
  return Array.isArray(value);
}

export function makeMapping(at: Position, entries: Iterable<readonly [string, Value | Node]>): Node {
  const mapping = new Map<string, Entry>();
  for (const [key, value] of entries) mapping.set(key, { keyAt: at, node: isNode(value) ? value : { value, at } });
  return { value: mapping, at };
}

function isNode(value: Value | Node): value is Node {
  return typeof value === "object" && value !== null && "at" in value;
}

/** The value under a key of a mapping. */
export function child(node: Node | undefined, key: string): Node | undefined {
  return node && isMapping(node.value) ? node.value.get(key)?.node : undefined;
}

/** The same mapping with a key set, or taken away. */
export function withKey(node: Node, key: string, value: Node | undefined): Node {
  const mapping = new Map(isMapping(node.value) ? node.value : []);
  if (value === undefined) mapping.delete(key);
  else mapping.set(key, { keyAt: mapping.get(key)?.keyAt ?? value.at, node: value });
  return { ...node, value: mapping };
}

/** `compose.yaml:3:5`; lines and columns from 1. */
export function formatPosition({ source, offset }: Position): string {
  const before = source.text.slice(0, offset);
  const line = before.split("\n").length;
  return `${source.path}:${line}:${offset - before.lastIndexOf("\n")}`;
}

/** `services.web.ports[0]`. */
export function formatPath(path: Path): string {
  return path.reduce((text, key) => (key.startsWith("[") || text === "" ? text + key : `${text}.${key}`), "");
}

export function describe(value: Value): string {
  if (value === null) return "nothing";
  if (isMapping(value)) return "a mapping";
  if (isList(value)) return "a list";
  if (typeof value === "string") return `the text ${JSON.stringify(value)}`;
  return `${typeof value === "boolean" ? "the boolean" : "the number"} ${value}`;
}
