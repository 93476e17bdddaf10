import { isAbsolute, resolve } from "node:path";
import { child, isList, isMapping, type Node, withKey } from "../source/node.ts";
import { isRemoteFile } from "./remote.ts";

/** Makes a file's relative paths absolute, from the folder they are meant from. */
export function absolutePaths(root: Node, folder: string, home: string): Node {
  const path = (node: Node) => textNode(node, (text) => absolute(text, folder, home));
  const file = (node: Node) => textNode(node, (text) => (isRemoteFile(text) ? text : absolute(text, folder, home)));
  const context = (node: Node) => textNode(node, (text) => (isRemote(text) ? text : absolute(text, folder, home)));
  const each = (change: (node: Node) => Node) => (node: Node) =>
    isList(node.value) ? { ...node, value: node.value.map(change) } : node;
  const service = (node: Node) =>
    change(node, {
      build: (build) =>
        change(build, {
          context,
          additional_contexts: (all) => eachValue(all, context),
          ssh: each((item) =>
            textNode(item, (key) => key.replace(/(?<=^[^=]*=)(.+)/s, (file) => absolute(file, folder, home))),
          ),
        }),
      env_file: each((item) => change(item, { path })),
      label_file: each(path),
      extends: (node) => change(node, { file }),
      develop: (node) => change(node, { watch: each((item) => change(item, { path })) }),
      volumes: each((item) => (child(item, "type")?.value === "bind" ? change(item, { source: path }) : item)),
    });
  return change(root, {
    services: (all) => eachValue(all, service),
    configs: (all) => eachValue(all, (item) => change(item, { file: path })),
    secrets: (all) => eachValue(all, (item) => change(item, { file: path })),
    volumes: (all) => eachValue(all, (item) => boundVolume(item, path)),
    include: each((item) => change(item, { path: each(file), project_directory: path, env_file: each(path) })),
  });
}

/** A local volume that is in truth a folder bound. */
function boundVolume(node: Node, path: (node: Node) => Node): Node {
  const options = child(node, "driver_opts");
  if (child(node, "driver")?.value !== "local" || child(options, "o")?.value !== "bind") return node;
  return change(node, {
    driver_opts: (all) => change(all, { device: (node) => path(node.value === "" ? { ...node, value: "." } : node) }),
  });
}

function change(node: Node, changes: Readonly<Record<string, (node: Node) => Node>>): Node {
  return Object.entries(changes).reduce((result, [key, work]) => {
    const before = child(result, key);
    return before && before.value !== null && before.tag !== "reset" ? withKey(result, key, work(before)) : result;
  }, node);
}

function eachValue(node: Node, work: (node: Node) => Node): Node {
  if (!isMapping(node.value)) return node;
  const entries = [...node.value].map(
    ([key, entry]) => [key, entry.node.value === null ? entry : { ...entry, node: work(entry.node) }] as const,
  );
  return { ...node, value: new Map(entries) };
}

function textNode(node: Node, work: (text: string) => string): Node {
  return typeof node.value === "string" ? { ...node, value: work(node.value) } : node;
}

function absolute(path: string, folder: string, home: string): string {
  // As written, were it with a slash at its end: it is part of a configuration's hash.
  if (path === "" || isAbsolute(path) || /^[a-zA-Z]:[\\/]/.test(path)) return path;
  if (path === "~" || path.startsWith("~/")) return resolve(home, path.slice(2));
  return resolve(folder, path);
}

/** A build's context that is no folder: a repository, an archive's address, an image, another service. */
export function isRemote(context: string): boolean {
  return /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/|service:|target:)/i.test(context);
}
