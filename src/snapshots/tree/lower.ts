import {
  AT_FDCWD,
  closeFd,
  type FileStat,
  isDirectory,
  O_DIRECTORY,
  O_RDONLY,
  openAt,
  readDirectory,
  statAt,
  statAtIfAny,
} from "../../kernel/mod.ts";
import { type ByteName, fromBytes, toBytes } from "./names.ts";
import { isOpaque, isWhiteout } from "./whiteout.ts";

export interface Found {
  readonly path: Uint8Array;
  readonly stat: FileStat;
}

/**
 * What overlayfs would show at `path` of a stack of trees, the highest first, without mounting it. undefined when there
 * is nothing, or no folder on the way. Links on the way are not followed.
 */
export function lookUpLower(trees: readonly string[], path: ByteName): Found | undefined {
  const parts = path === "" ? [] : path.split("/");
  for (const tree of trees) {
    const answer = lookUpOne(tree, parts);
    if (answer === "hidden") return undefined;
    if (answer !== "absent") return answer;
  }
  return undefined;
}

/** "absent": the trees below may have it; "hidden": they may have it but this one hides it. */
function lookUpOne(tree: string, parts: readonly ByteName[]): Found | "absent" | "hidden" {
  let path = Buffer.from(tree);
  let stat = statAtIfAny(AT_FDCWD, path);
  let opaque = false;
  for (const part of parts) {
    // Something that is no folder stands where the path goes on.
    if (stat && !isDirectory(stat)) return "hidden";
    path = Buffer.concat([path, Buffer.from("/"), toBytes(part)]);
    stat = statAtIfAny(AT_FDCWD, path);
    if (!stat) return opaque ? "hidden" : "absent";
    if (isWhiteout(stat)) return "hidden";
    opaque ||= isDirectory(stat) && isOpaque(path);
  }
  return stat ? { path, stat } : "absent";
}

/** Names that overlayfs would list in the folder `path` of a stack of trees. */
export function listLower(trees: readonly string[], path: ByteName): ByteName[] {
  const names = new Map<ByteName, boolean>();
  for (const [index, tree] of trees.entries()) {
    const answer = lookUpOne(tree, path === "" ? [] : path.split("/"));
    if (answer === "hidden") break;
    if (answer === "absent") continue;
    if (!isDirectory(answer.stat)) break;
    const fd = openAt(AT_FDCWD, answer.path, O_RDONLY | O_DIRECTORY);
    try {
      for (const { name } of readDirectory(fd)) {
        const text = fromBytes(name);
        if (!names.has(text)) names.set(text, !isWhiteout(statAt(fd, name)));
      }
    } finally {
      closeFd(fd);
    }
    // Opaque here or on the way: the trees further down do not show.
    if (index + 1 < trees.length && hidesLower(tree, path)) break;
  }
  return [...names].filter(([, shows]) => shows).map(([name]) => name);
}

function hidesLower(tree: string, path: ByteName): boolean {
  let at: Uint8Array = Buffer.from(tree);
  for (const part of path === "" ? [] : path.split("/")) {
    at = Buffer.concat([at, Buffer.from("/"), toBytes(part)]);
    if (isOpaque(at)) return true;
  }
  return false;
}
