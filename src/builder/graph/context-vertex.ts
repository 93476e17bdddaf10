import { type Vertex, vertex } from "./vertex.ts";

/** Files of a client: its build context, or one it gave a name. */
export function contextFiles(name: string): Vertex {
  const title = name === "" ? "[internal] load build context" : `[context ${name}] load from client`;
  return vertex({ kind: "context", name }, [], { name: title });
}

/** The same as a tree that can be built on. */
export function contextTree(name: string): Vertex {
  const scratch = vertex({ kind: "scratch" }, [], { name: "scratch" });
  const op = {
    kind: "copy",
    sources: [{ input: 1, path: "/", unpack: false }],
    destination: "/",
    excludes: [],
    parents: false,
    ownedByRoot: false,
  } as const;
  return vertex(op, [scratch, contextFiles(name)], { name: `[context ${name}] as a tree` });
}
