import { closeSync, openSync, readFileSync } from "node:fs";
import { normalize } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";
import {
  asRootOf,
  closeFd,
  mkdirAt,
  O_DIRECTORY,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openInRoot,
  S_IFMT,
  S_IFREG,
  statFd,
} from "../../kernel/mod.ts";

const FOLDER_MODE = 0o755;

function withRoot<T>(root: string, use: (fd: number) => T): T {
  const fd = openSync(root, O_PATH | O_DIRECTORY);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Content of the regular file `path` of a tree, links resolved inside it; undefined when there is none. Never blocks on a
 * pipe or reads a device. `invalid-argument` beyond `limit` bytes: whoever made the tree does not get our memory.
 */
export function readTreeFile(root: string, path: string, limit: number): string | undefined {
  return withRoot(root, (rootFd) => {
    let fd: number;
    try {
      fd = openInRoot(rootFd, path, O_RDONLY | O_NONBLOCK);
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP", "ENXIO"].includes(errnoOf(error) ?? "")) return undefined;
      throw error;
    }
    try {
      const stat = statFd(fd);
      if ((stat.mode & S_IFMT) !== S_IFREG) return undefined;
      if (stat.size > limit)
        throw new HavreError("invalid-argument", `${path} has ${stat.size} bytes: more than ${limit} are not read`);
      return readFileSync(fd, "utf8");
    } finally {
      closeFd(fd);
    }
  });
}

/**
 * Makes the folder `path` of a tree with its parents, as a container's working folder must exist. `invalid-argument` when something else is in the way.
 * `owner`: ids of the host whose folders they become, where a tree is shown with others than root's.
 */
export function makeTreeFolder(
  root: string,
  path: string,
  owner?: { readonly uid: number; readonly gid: number },
): void {
  if (owner) asRootOf(owner, () => makeFolders(root, path));
  else makeFolders(root, path);
}

function makeFolders(root: string, path: string): void {
  withRoot(root, (rootFd) => {
    if (isFolder(rootFd, path)) return;
    const parts = normalize(path)
      .split("/")
      .filter((part) => part !== "");
    for (let depth = 1; depth <= parts.length; depth++) {
      const parent = parts.slice(0, depth - 1).join("/");
      if (!isFolder(rootFd, parts.slice(0, depth).join("/"))) makeFolder(rootFd, parent, parts[depth - 1] ?? "", path);
    }
  });
}

/**
 * Runs `use` with the folder `path` of a tree, links resolved inside it, as a path of this process that stays that folder.
 * undefined when nothing is there; `invalid-argument` when it is no folder.
 */
export async function withTreeFolder<T>(
  root: string,
  path: string,
  use: (folder: string) => Promise<T>,
): Promise<T | undefined> {
  let fd: number;
  try {
    fd = withRoot(root, (rootFd) => openInRoot(rootFd, path, O_RDONLY | O_DIRECTORY));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    if (errnoOf(error) !== "ENOTDIR") throw error;
    throw new HavreError("invalid-argument", `${path} is not a directory`, { cause: error });
  }
  try {
    return await use(`/proc/self/fd/${fd}`);
  } finally {
    closeFd(fd);
  }
}

function isFolder(rootFd: number, path: string): boolean {
  try {
    closeFd(openInRoot(rootFd, path, O_PATH | O_DIRECTORY));
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return false;
    throw error;
  }
}

function makeFolder(rootFd: number, parent: string, name: string, path: string): void {
  const parentFd = openInRoot(rootFd, parent, O_PATH | O_DIRECTORY);
  try {
    mkdirAt(parentFd, name, FOLDER_MODE);
  } catch (error) {
    if (errnoOf(error) !== "EEXIST") throw error;
    throw new HavreError("invalid-argument", `Cannot mkdir: ${path} is not a directory`, { cause: error });
  } finally {
    closeFd(parentFd);
  }
}
