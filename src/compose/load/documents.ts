import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { HavreError } from "../../base/mod.ts";
import { project as projectShape } from "../schema/project.ts";
import { mergeShape, settle, unify } from "../shape/merge.ts";
import { toPlain } from "../shape/plain.ts";
import { readShape } from "../shape/read.ts";
import { interpolate, type Unset } from "../source/interpolate.ts";
import { child, formatPosition, isList, isMapping, makeMapping, type Node, withKey } from "../source/node.ts";
import { fail } from "../source/problem.ts";
import { parseYaml } from "../source/yaml.ts";
import { defaultEnvFile, type Environment, withEnvFiles } from "./environment.ts";
import { applyExtends } from "./extends.ts";
import { readSource, shownPath } from "./files.ts";
import { absolutePaths } from "./paths.ts";
import { localPath } from "./remote.ts";

/** How a set of files is read that together are one model. */
export interface Reading {
  readonly environment: Environment;
  /** Relative paths are meant from here. */
  readonly directory: string;
  readonly interpolates: boolean;
  readonly resolvesPaths: boolean;
  readonly normalises: boolean;
  readonly remoteFiles: ReadonlyMap<string, string>;
  /** Where the user is: paths are shown from there. */
  readonly workingFolder: string;
  readonly stdin: () => string;
  readonly onUnset: (unset: Unset) => void;
  /** Files whose `include` led here. */
  readonly includedBy: readonly string[];
}

/** The parsed documents of a file, before anything is made of them. */
export function parseFile(path: string, reading: Pick<Reading, "stdin" | "workingFolder">): Node[] {
  if (path === "-") return parseYaml({ path: "stdin", text: reading.stdin() });
  return parseYaml(readSource(path, shownPath(path, reading.workingFolder)));
}

/** Files merged in order into one tree in long form. `invalid-argument` when they hold nothing. */
export function readFiles(
  files: readonly { path: string; documents: readonly Node[] }[],
  reading: Reading,
): Node | undefined {
  let merged: Node | undefined;
  for (const { path, documents } of files) {
    for (const document of documents) {
      const own = ownWords(path, document, reading);
      merged = merged ? mergeShape(merged, own, projectShape) : settle(own);
      merged = unify(merged, projectShape);
    }
  }
  if (!reading.normalises) return merged;
  return merged && withContexts(merged, reading.resolvesPaths ? reading.directory : ".");
}

/** A build that names no context has its project's folder. */
function withContexts(root: Node, folder: string): Node {
  const services = child(root, "services");
  if (!services || !isMapping(services.value)) return root;
  let changed = services;
  for (const [name, { node }] of services.value) {
    const build = child(node, "build");
    if (!build || child(build, "context")) continue;
    changed = withKey(
      changed,
      name,
      withKey(node, "build", withKey(build, "context", { value: folder, at: build.at })),
    );
  }
  return withKey(root, "services", changed);
}

/** One document, with what it extends and includes. */
function ownWords(path: string, document: Node, reading: Reading): Node {
  const long = longForm(document, reading, reading.resolvesPaths ? reading.directory : undefined);
  const extended = applyExtends(path, long, (other) => {
    const file = localPath(other, reading.directory, reading.remoteFiles);
    // Paths in an extended file are meant from its own folder.
    return parseFile(file, reading).map((node) => longForm(node, reading, dirname(file)));
  });
  return applyInclude(extended, path, reading);
}

function longForm(document: Node, reading: Reading, folder: string | undefined): Node {
  const replaced = reading.interpolates
    ? interpolate(document, (name) => reading.environment.get(name), reading.onUnset)
    : document;
  if (!isMapping(replaced.value)) fail(replaced.at, [], "Top-level object must be a mapping");
  const long = readShape(replaced, projectShape);
  return folder === undefined ? long : absolutePaths(long, folder, reading.environment.get("HOME") ?? "/root");
}

const SECTIONS = ["services", "volumes", "networks", "secrets", "configs", "models"] as const;

function applyInclude(root: Node, path: string, reading: Reading): Node {
  const include = child(root, "include");
  if (!include || !isList(include.value)) return root;
  let result = withKey(root, "include", undefined);
  for (const item of include.value) {
    const included = readIncluded(item, path, reading);
    if (!included) continue;
    for (const section of SECTIONS) {
      const from = child(included, section);
      if (!from || !isMapping(from.value)) continue;
      let target = child(result, section) ?? makeMapping(from.at, []);
      for (const [name, { node }] of from.value) {
        const own = child(target, name);
        if (own && !isDeepStrictEqual(toPlain(own, projectShape), toPlain(node, projectShape)))
          fail(
            own.at,
            [section, name],
            "conflicts with imported resource",
            `It stands in ${node.at.source.path} too: an override file may change it`,
          );
        target = withKey(target, name, node);
      }
      result = withKey(result, section, target);
    }
  }
  return result;
}

function readIncluded(item: Node, path: string, reading: Reading): Node | undefined {
  const texts = (key: string): string[] => {
    const value = child(item, key)?.value;
    return value && isList(value) ? value.map((one) => String(one.value)) : [];
  };
  const paths = texts("path").map((one) => localPath(one, reading.directory, reading.remoteFiles));
  const [main] = paths;
  if (main === undefined) return undefined;
  const trail = [...reading.includedBy, path];
  if (trail.includes(main))
    fail(item.at, ["include"], `include cycle detected:\n${[...trail, main].join("\n include ")}`);
  const missing = paths.find((one) => !existsSync(one));
  if (missing !== undefined)
    throw new HavreError(
      "not-found",
      `${formatPosition(item.at)}: include: open ${missing}: no such file or directory`,
    );
  const given = child(item, "project_directory")?.value;
  const directory = typeof given === "string" ? resolve(reading.directory, given) : dirname(main);
  const envFiles = texts("env_file").map((one) => resolve(reading.directory, one));
  const inner: Reading = {
    ...reading,
    directory,
    environment: withEnvFiles(reading.environment, envFiles.length > 0 ? envFiles : defaultEnvFile(directory)),
    includedBy: trail,
  };
  return readFiles(
    paths.map((one) => ({ path: one, documents: parseFile(one, inner) })),
    inner,
  );
}
