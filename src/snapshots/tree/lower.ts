import { AT_FDCWD, type FileStat, getXattr, isDirectory, statAtIfAny } from "../../kernel/mod.ts";
import { type ByteName, toBytes } from "./names.ts";
import { isWhiteout, OPAQUE_XATTR } from "./whiteout.ts";

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
    opaque ||= isDirectory(stat) && getXattr(path, OPAQUE_XATTR) !== undefined;
  }
  return stat ? { path, stat } : "absent";
}
