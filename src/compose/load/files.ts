import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";
import type { Source } from "../source/node.ts";

const NAMES = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES = [
  "compose.override.yml",
  "compose.override.yaml",
  "docker-compose.override.yml",
  "docker-compose.override.yaml",
];

/** The project's file in a folder, with its override; nothing when there is none. */
export function filesIn(folder: string, warn: (message: string) => void): string[] {
  return [pick(folder, NAMES, warn), pick(folder, OVERRIDES, warn)].filter((path) => path !== undefined);
}

function pick(folder: string, names: readonly string[], warn: (message: string) => void): string | undefined {
  const found = names.map((name) => resolve(folder, name)).filter((path) => existsSync(path));
  if (found.length > 1)
    warn(`Found multiple config files with supported names: ${found.join(", ")}. Using ${found[0]}`);
  return found[0];
}

/** The files of the nearest folder upwards that has any. */
export function findFiles(folder: string, warn: (message: string) => void): string[] {
  for (let at = resolve(folder); ; at = dirname(at)) {
    const [main, ...more] = filesIn(at, warn);
    if (main !== undefined && NAMES.includes(basename(main))) return [main, ...more];
    if (dirname(at) === at) return [];
  }
}

/** `not-found` or `permission-denied`, with the file's name, when it cannot be read. */
export function readSource(path: string, shown: string): Source {
  try {
    if (statSync(path).isDirectory()) throw new HavreError("not-found", `${shown} is a directory, not a file`);
    return { path: shown, text: readFileSync(path, "utf8") };
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR")
      throw new HavreError("not-found", `open ${path}: no such file or directory`, { cause: error });
    if (code === "EACCES")
      throw new HavreError("permission-denied", `open ${path}: permission denied`, { cause: error });
    throw error;
  }
}

/** A path as people like to read it: below the working folder without it. */
export function shownPath(path: string, folder: string): string {
  return path.startsWith(`${folder}/`) ? path.slice(folder.length + 1) : path;
}
