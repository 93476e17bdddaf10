import { HavreError } from "../../../base/mod.ts";
import { type ByteName, shown } from "../../../snapshots/mod.ts";
import type { FileSource, SourceFile } from "./source.ts";

const MOST_LINKS = 255;

type Stats = Pick<FileSource, "stat">;

/**
 * Where a path leads in a tree when every link on the way is followed as if the tree were `/`; with `last` also the one
 * at its end. What is not there is kept as it is written, as Docker resolves destinations.
 */
export function resolvePath(tree: Stats, path: ByteName, last = true): ByteName {
  const ahead = path.split("/").reverse();
  const found: ByteName[] = [];
  for (let links = 0; ahead.length > 0; ) {
    const part = ahead.pop();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      found.pop();
      continue;
    }
    const here = [...found, part].join("/");
    const isLast = ahead.every((rest) => rest === "" || rest === ".");
    const file = isLast && !last ? undefined : tree.stat(here);
    if (file?.type !== "symlink") {
      found.push(part);
      continue;
    }
    if (++links > MOST_LINKS) throw new HavreError("invalid-argument", `Too many links in /${shown(path)}`);
    if (file.linkTarget.startsWith("/")) found.length = 0;
    ahead.push(...file.linkTarget.split("/").reverse());
  }
  return found.join("/");
}

/** A path as the Dockerfile writes it, cleaned by its text, from the top: `..` stops there. */
export function cleanPath(path: ByteName): ByteName {
  const parts: ByteName[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.join("/");
}

export function parentOf(path: ByteName): ByteName {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

export function baseOf(path: ByteName): ByteName {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function joinPath(folder: ByteName, name: ByteName): ByteName {
  return folder === "" ? name : name === "" ? folder : `${folder}/${name}`;
}

/** A file and all below it, parents first, folders' names sorted; `enter` decides which folders to look into. */
export function* walk(
  source: FileSource,
  top: SourceFile,
  enter: (folder: SourceFile) => boolean = () => true,
): Generator<SourceFile> {
  yield top;
  if (top.type !== "directory" || !enter(top)) return;
  for (const name of source.list(top.path)) {
    const file = source.stat(joinPath(top.path, name));
    if (file) yield* walk(source, file, enter);
  }
}
