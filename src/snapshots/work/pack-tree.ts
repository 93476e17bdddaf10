import {
  AT_FDCWD,
  closeFd,
  isDirectory,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  openAt,
  openInRoot,
  statAt,
  statAtIfAny,
  statFd,
} from "../../kernel/mod.ts";
import { askedPath } from "../tree/asked-path.ts";
import type { HeldIds } from "../tree/held-ids.ts";
import { sortedEntries } from "../tree/listing.ts";
import { type ByteName, fromBytes, toBytes } from "../tree/names.ts";
import { TreePacker, unlessGone } from "../tree/packer.ts";
import { openAsked } from "../tree/stat-tree.ts";
import { PAUSE, type Work } from "./steps.ts";

export interface PackTreeJob {
  readonly kind: "pack-tree";
  readonly root: string;
  /** What to pack, named as `docker cp` names it; undefined: all, named from the top without a slash, as `docker export`. */
  readonly path: string | undefined;
  /** What the tree's owners are shown as; absent: as they are. */
  readonly ids?: HeldIds;
}

/** Docker's names (moby, daemon/archive_unix.go and pkg/archive/copy.go): the last component asked for, then what is below. */
export function* packTree({ root: rootPath, path: text, ids }: PackTreeJob): Work<undefined> {
  const asked = askedPath(text ?? "/");
  const root = openAt(AT_FDCWD, rootPath, O_PATH | O_DIRECTORY);
  const packer = new TreePacker(ids);
  try {
    const place = openAsked(root, asked);
    try {
      const stat = statFd(place);
      if (text === undefined) yield* packBelow(packer, place, "");
      else if (isDirectory(stat)) {
        const name = asked.name === "/" ? "" : asked.name;
        yield* packer.member(place, toBytes("."), stat, name);
        yield* packBelow(packer, place, `${name}/`);
      } else yield* packFile(packer, root, asked.path, asked.name);
    } finally {
      closeFd(place);
    }
    yield* packer.end();
  } finally {
    closeFd(root);
  }
  return undefined;
}

/** By its name in its folder, which is what reading a link or a file needs. */
function* packFile(packer: TreePacker, root: number, path: ByteName, name: ByteName): Work<void> {
  const folder = openInRoot(root, toBytes(path.slice(0, Math.max(path.lastIndexOf("/"), 0))), O_PATH | O_DIRECTORY);
  try {
    yield* packer.member(folder, toBytes(name), statAt(folder, toBytes(name)), name);
  } finally {
    closeFd(folder);
  }
}

function* packBelow(packer: TreePacker, parent: number, prefix: ByteName): Work<void> {
  for (const { name } of sortedEntries(parent)) {
    const stat = statAtIfAny(parent, name);
    // Processes of the container may remove what was just listed.
    if (!stat) continue;
    const path = `${prefix}${fromBytes(name)}`;
    yield* packer.member(parent, name, stat, path);
    if (isDirectory(stat)) {
      const child = unlessGone(() => openAt(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
      if (child === undefined) continue;
      try {
        yield* packBelow(packer, child, `${path}/`);
      } finally {
        closeFd(child);
      }
    }
    yield PAUSE;
  }
}
