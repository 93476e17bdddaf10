import { isHavreError } from "../../base/mod.ts";
import { type Entry, isList, isMapping, type Node, type Path, type Position } from "./node.ts";
import { fail } from "./problem.ts";
import { type Lookup, substitute } from "./template.ts";

/** A variable that was asked for, is not set and has no default. */
export interface Unset {
  readonly name: string;
  readonly at: Position;
}

/** Replaces the variables in every text of a tree; keys stay as they are. Each unset variable is told once. */
export function interpolate(root: Node, lookup: Lookup, onUnset: (unset: Unset) => void): Node {
  const told = new Set<string>();
  const visit = (node: Node, path: Path): Node => {
    const { value } = node;
    if (typeof value === "string") {
      const text = replace(node, value, path);
      return text === value ? node : { ...node, value: text };
    }
    if (isList(value)) return { ...node, value: value.map((item, index) => visit(item, [...path, `[${index}]`])) };
    if (!isMapping(value)) return node;
    const mapping = new Map<string, Entry>();
    for (const [key, { keyAt, node: inner }] of value) mapping.set(key, { keyAt, node: visit(inner, [...path, key]) });
    return { ...node, value: mapping };
  };
  const replace = ({ at }: Node, text: string, path: Path): string => {
    try {
      return substitute(text, lookup, (name) => {
        if (!told.has(name)) onUnset({ name, at });
        told.add(name);
      });
    } catch (error) {
      if (isHavreError(error)) fail(at, path, error.message, error.hint);
      throw error;
    }
  };
  return visit(root, []);
}
