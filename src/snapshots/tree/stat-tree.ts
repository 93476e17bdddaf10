import { errnoOf, HavreError } from "../../base/mod.ts";
import {
  AT_FDCWD,
  closeFd,
  isSymlink,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  openAt,
  openInRoot,
  readLinkAt,
  statFd,
} from "../../kernel/mod.ts";
import type { TreeEntry } from "../snapshots.ts";
import { type AskedPath, askedPath } from "./asked-path.ts";
import { type ByteName, fromBytes, shown, toBytes } from "./names.ts";

export function statTree(rootPath: string, text: string): TreeEntry {
  const asked = askedPath(text);
  const root = openAt(AT_FDCWD, rootPath, O_PATH | O_DIRECTORY);
  try {
    const fd = openAsked(root, asked);
    try {
      const stat = statFd(fd);
      return {
        name: shown(asked.name),
        size: stat.size,
        mode: stat.mode,
        mtime: Number(stat.mtime / 1000n) / 1000,
        linkTarget: isSymlink(stat) ? `/${shown(resolveLink(root, asked))}` : "",
      };
    } finally {
      closeFd(fd);
    }
  } finally {
    closeFd(root);
  }
}

/** The thing a path names, opened without effect on it. `not-found`; else Docker's own texts. */
export function openAsked(root: number, { path, folder, text }: AskedPath): number {
  try {
    return openInRoot(root, toBytes(path), O_PATH | (folder ? O_DIRECTORY : O_NOFOLLOW));
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT")
      throw new HavreError("not-found", `lstat ${text}: no such file or directory`, { cause: error });
    if (code === "ENOTDIR") throw new HavreError("internal", `lstat ${text}: not a directory`, { cause: error });
    if (code === "ELOOP") throw tooManyLinks(text, error);
    throw error;
  }
}

function tooManyLinks(text: string, cause?: unknown): HavreError {
  return new HavreError("internal", `evalSymlinksInScope: too many links in ${text}`, { cause });
}

const MOST_LINKS = 255;

/** Where a path leads when all links are followed, as far as there is something: the rest is kept as it is written. */
function resolveLink(root: number, { path, text }: AskedPath): ByteName {
  const ahead = path.split("/").reverse();
  const found: ByteName[] = [];
  for (let links = 0; ahead.length > 0; ) {
    const part = ahead.pop();
    if (part === undefined || part === "" || part === ".") continue;
    if (part === "..") {
      found.pop();
      continue;
    }
    const target = linkAt(root, [...found, part].join("/"));
    if (target === undefined) {
      found.push(part);
      continue;
    }
    if (++links > MOST_LINKS) throw tooManyLinks(text);
    if (target.startsWith("/")) found.length = 0;
    ahead.push(...target.split("/").reverse());
  }
  return found.join("/");
}

/** What the link at `path` says; undefined when it is none. */
function linkAt(root: number, path: ByteName): ByteName | undefined {
  let fd: number;
  try {
    fd = openInRoot(root, toBytes(path), O_PATH | O_NOFOLLOW);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "ELOOP") return undefined;
    throw error;
  }
  try {
    // Reading the link that the descriptor itself is: an empty name (readlinkat(2)).
    return isSymlink(statFd(fd)) ? fromBytes(readLinkAt(fd, "")) : undefined;
  } finally {
    closeFd(fd);
  }
}
