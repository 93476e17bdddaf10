import { project as projectShape } from "../schema/project.ts";
import { service as serviceShape } from "../schema/service.ts";
import { mergeShape } from "../shape/merge.ts";
import { child, isMapping, type Node, withKey } from "../source/node.ts";
import { fail } from "../source/problem.ts";

/** Reads another file in long form, its paths absolute. */
export type ReadFile = (path: string) => readonly Node[];

interface Place {
  readonly path: string;
  readonly root: Node;
}

/** Gives each service of a file what those it extends have. `invalid-argument` for circles and for what is not there. */
export function applyExtends(path: string, root: Node, readFile: ReadFile): Node {
  const services = child(root, "services");
  if (!services || !isMapping(services.value)) return root;
  let changed = services;
  for (const [name, { node }] of services.value)
    if (child(node, "extends")) changed = withKey(changed, name, extended({ path, root }, name, readFile, []));
  return withKey(root, "services", changed);
}

function extended(place: Place, name: string, readFile: ReadFile, seen: readonly string[]): Node {
  const node = child(child(place.root, "services"), name);
  if (!node) throw new Error(`no service ${name}`);
  const extension = child(node, "extends");
  if (!extension) return node;
  const step = `${name} in ${place.path}`;
  if (seen.includes(step))
    fail(extension.at, ["services", name], `Circular reference:\n  ${[...seen, step].join("\n  extends ")}`);
  const base = String(child(extension, "service")?.value ?? "");
  const file = child(extension, "file")?.value;
  const from = typeof file === "string" ? otherFile(file, base, readFile) : place;
  const source = child(child(from?.root, "services"), base);
  if (!from || !source)
    fail(
      extension.at,
      ["services", name, "extends"],
      `cannot extend service "${base}" in ${typeof file === "string" ? file : place.path}: service not found`,
    );
  const merged = mergeShape(extended(from, base, readFile, [...seen, step]), node, serviceShape);
  return withKey(merged, "extends", undefined);
}

function otherFile(path: string, service: string, readFile: ReadFile): Place | undefined {
  const documents = readFile(path);
  const merged = documents.reduce<Node | undefined>(
    (before, document) => (before ? mergeShape(before, document, projectShape) : document),
    undefined,
  );
  return merged && child(child(merged, "services"), service) ? { path, root: merged } : undefined;
}
