import { type Entry, isList, isMapping, type Mapping, type Node } from "../source/node.ts";
import type { ListShape, Shape } from "./shape.ts";

/**
 * Two files' (or an extended and an extending service's) words for one thing as one: mappings key by key, lists by
 * addition, single values by the later. Source: Compose Specification, Merge and override.
 */
export function mergeShape(base: Node, over: Node, shape: Shape): Node {
  if (over.tag === "override") return withoutTag(over);
  if (shape.kind === "record" && isMapping(base.value) && isMapping(over.value)) {
    if (shape.mergeIf && !shape.mergeIf(base, over)) return withoutTag(over);
    return { ...base, value: mergeMappings(base.value, over.value, (key) => shape.fields[key]?.shape) };
  }
  if (shape.kind === "map" && isMapping(base.value) && isMapping(over.value))
    return { ...base, value: mergeMappings(base.value, over.value, () => shape.value) };
  if (shape.kind === "list" && isList(base.value) && isList(over.value) && shape.merge !== "replace")
    return uniqueItems({ ...base, value: [...base.value, ...over.value] }, shape);
  // A key repeated without a value says nothing new.
  return over.value === null ? base : withoutTag(over);
}

function mergeMappings(base: Mapping, over: Mapping, shapeOf: (key: string) => Shape | undefined): Mapping {
  const merged = new Map<string, Entry>(base);
  for (const [key, entry] of over) {
    const shape = shapeOf(key);
    const before = base.get(key);
    if (entry.node.tag === "reset") merged.delete(key);
    else if (before && shape) merged.set(key, { ...before, node: mergeShape(before.node, entry.node, shape) });
    else merged.set(key, { ...entry, node: settle(entry.node) });
  }
  return merged;
}

function withoutTag(node: Node): Node {
  return settle({ value: node.value, at: node.at });
}

/** What nothing came before: tags have done their work, and what was to be reset is gone. */
export function settle(node: Node): Node {
  const { value } = node;
  if (isList(value)) return { value: value.filter(({ tag }) => tag !== "reset").map(settle), at: node.at };
  if (!isMapping(value)) return { value, at: node.at };
  const mapping = new Map<string, Entry>();
  for (const [key, entry] of value)
    if (entry.node.tag !== "reset") mapping.set(key, { keyAt: entry.keyAt, node: settle(entry.node) });
  return { value: mapping, at: node.at };
}

/** Makes one of items with the same key, throughout a tree. */
export function unify(node: Node, shape: Shape): Node {
  const { value } = node;
  if (shape.kind === "list" && isList(value))
    return uniqueItems({ ...node, value: value.map((item) => unify(item, shape.item)) }, shape);
  if ((shape.kind !== "record" && shape.kind !== "map") || !isMapping(value)) return node;
  const mapping = new Map<string, Entry>();
  for (const [key, entry] of value) {
    const inner = shape.kind === "map" ? shape.value : shape.fields[key]?.shape;
    mapping.set(key, inner ? { keyAt: entry.keyAt, node: unify(entry.node, inner) } : entry);
  }
  return { ...node, value: mapping };
}

function uniqueItems(node: Node, { key, item: shape, mergeItems }: ListShape): Node {
  if (!key || !isList(node.value)) return node;
  const items = new Map<string, Node>();
  for (const item of node.value) {
    const name = key(item);
    const before = items.get(name);
    items.set(name, before && mergeItems ? mergeShape(before, item, shape) : item);
  }
  return { ...node, value: [...items.values()] };
}
