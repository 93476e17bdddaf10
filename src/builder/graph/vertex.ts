import { type Digest, digestOf } from "../../base/mod.ts";
import type { Op } from "./ops.ts";

/** Lines of the Dockerfile, both counted from 1, the last one included. */
export interface Lines {
  readonly first: number;
  readonly last: number;
}

/** A step of a build: an operation on the results of others. Values, made before anything runs. */
export interface Vertex {
  /** Of operation, inputs and name: what progress is told under. Not the cache key, which goes by content. */
  readonly digest: Digest;
  readonly op: Op;
  /** The first is the tree that the operation changes, where it changes one. */
  readonly inputs: readonly Vertex[];
  /** For people: `[build 2/5] RUN make`. */
  readonly name: string;
  readonly lines?: Lines;
  /** Run again even when the result is known. */
  readonly ignoreCache: boolean;
}

export interface VertexDetail {
  readonly name: string;
  readonly lines?: Lines;
  readonly ignoreCache?: boolean;
}

export function vertex(op: Op, inputs: readonly Vertex[], detail: VertexDetail): Vertex {
  const { name, lines, ignoreCache = false } = detail;
  const identity = JSON.stringify([op, inputs.map((input) => input.digest), name, lines ?? null, ignoreCache]);
  return { digest: digestOf(identity), op, inputs, name, ignoreCache, ...(lines ? { lines } : {}) };
}

/** Everything a vertex needs, itself last, each once, what is needed before what needs it. */
export function inOrder(...ends: readonly Vertex[]): readonly Vertex[] {
  const seen = new Set<Digest>();
  const order: Vertex[] = [];
  const visit = (at: Vertex) => {
    if (seen.has(at.digest)) return;
    seen.add(at.digest);
    for (const input of at.inputs) visit(input);
    order.push(at);
  };
  for (const end of ends) visit(end);
  return order;
}
