import { closeSync, constants, fstatSync, lstatSync, mkdirSync, openSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../../base/mod.ts";

/** As the kernel: more links than this in one path are a loop. */
const LINK_LIMIT = 40;
/** A user or group file larger than this is refused: nobody has one, and it would be read into memory. */
const FILE_LIMIT = 16 * 1024 * 1024;

/**
 * The host path of `path` as a process whose root is `root` would see it: links, also absolute ones and `..`, never lead
 * out. Components that do not exist are kept as they are. The tree must not change meanwhile.
 */
export function resolveInsideRoot(root: string, path: string): string {
  const pending = path.split("/").reverse();
  const done: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      done.pop();
      continue;
    }
    const target = linkTarget(join(root, ...done, part));
    if (target === undefined) {
      done.push(part);
      continue;
    }
    if (++links > LINK_LIMIT) throw new HavreError("invalid-argument", `Too many levels of symbolic links in ${path}`);
    if (target.startsWith("/")) done.length = 0;
    pending.push(...target.split("/").reverse());
  }
  return join(root, ...done);
}

function linkTarget(path: string): string | undefined {
  try {
    return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Text of a regular file inside `root`; undefined when there is none. Never blocks on a pipe or touches a device. */
export function readInsideRoot(root: string, path: string): string | undefined {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  let descriptor: number;
  try {
    descriptor = openSync(resolveInsideRoot(root, path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP" || code === "ENXIO") return undefined;
    throw error;
  }
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return undefined;
    if (stat.size > FILE_LIMIT)
      throw new HavreError(
        "invalid-argument",
        `${path} of the image has ${stat.size} bytes: refused above ${FILE_LIMIT}`,
      );
    return readFileSync(descriptor, "utf8");
  } finally {
    closeSync(descriptor);
  }
}

/** Makes the folder `path` inside `root` with its parents, as a container's working folder must exist. */
export function ensureFolderInsideRoot(root: string, path: string): void {
  const folder = resolveInsideRoot(root, path);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOTDIR" || code === "EEXIST")
      throw new HavreError("internal", `Cannot mkdir: ${path} is not a directory`, { cause: error });
    throw error;
  }
}
