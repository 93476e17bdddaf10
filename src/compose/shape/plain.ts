import { isList, isMapping, type Node } from "../source/node.ts";
import type { Shape, TypeOf } from "./shape.ts";

/** A tree that was read and merged, as the model's values. */
export function toPlain<S extends Shape>(node: Node, _shape: S): TypeOf<S> {
  return plain(node) as TypeOf<S>;
}

function plain({ value }: Node): unknown {
  if (isList(value)) return value.map(plain);
  if (isMapping(value)) return Object.fromEntries([...value].map(([key, { node }]) => [key, plain(node)]));
  return value;
}
