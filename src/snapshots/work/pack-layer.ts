import { HavreError } from "../../base/mod.ts";
import {
  AT_FDCWD,
  closeFd,
  type FileStat,
  isDirectory,
  listXattrs,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  pathBelow,
  statAt,
  statAtIfAny,
} from "../../kernel/mod.ts";
import { sortedEntries } from "../tree/listing.ts";
import { lookUpLower } from "../tree/lower.ts";
import { type ByteName, fromBytes, shown, toBytes } from "../tree/names.ts";
import { TreePacker, unlessGone } from "../tree/packer.ts";
import { isOpaque, isWhiteout, OVERLAY_XATTRS, WHITEOUT_OPAQUE, WHITEOUT_PREFIX } from "../tree/whiteout.ts";
import { PAUSE, type Work } from "./steps.ts";

export interface PackLayerJob {
  readonly kind: "pack-layer";
  /** The upper folder of an overlay. */
  readonly upper: string;
  /** Trees below it, the highest first. */
  readonly lower: readonly string[];
}

/** An overlay's upper folder as a layer: overlayfs's whiteouts as OCI's. The same tree gives the same bytes. */
export function* packLayer({ upper, lower }: PackLayerJob): Work<undefined> {
  const root = openAt(AT_FDCWD, upper, O_RDONLY | O_DIRECTORY);
  const packer = new TreePacker();
  try {
    const stat = statAt(root, ".");
    if (topDiffers(root, stat, lower)) yield* packer.member(root, Buffer.from("."), stat, "./");
    yield* packFolder(packer, root, "", lower);
    yield* packer.end();
  } finally {
    closeFd(root);
  }
  return undefined;
}

function* packFolder(packer: TreePacker, folder: number, prefix: ByteName, lower: readonly string[]): Work<void> {
  for (const { name } of sortedEntries(folder)) {
    const stat = statAtIfAny(folder, name);
    // A container that is not paused may remove what was just listed.
    if (!stat) continue;
    const text = fromBytes(name);
    const path = `${prefix}${text}`;
    if (isWhiteout(stat)) {
      yield* packer.header({ path: toBytes(`${prefix}${WHITEOUT_PREFIX}${text}`), mode: 0 });
      continue;
    }
    if (text.startsWith(WHITEOUT_PREFIX)) {
      throw new HavreError("failed-precondition", `A layer cannot hold a file named ${shown(text)}: /${shown(path)}`, {
        hint: `Names that begin with ${WHITEOUT_PREFIX} mean removed files in image layers: rename it`,
      });
    }
    yield* packer.member(folder, name, stat, path);
    if (isDirectory(stat)) yield* packBelow(packer, folder, name, path, lower);
    yield PAUSE;
  }
}

function* packBelow(
  packer: TreePacker,
  folder: number,
  name: Uint8Array,
  path: ByteName,
  lower: readonly string[],
): Work<void> {
  const child = unlessGone(() => openAt(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  if (child === undefined) return;
  try {
    // Overlayfs marks every new folder; the mark matters only where there is something to hide.
    const opaque = isOpaque(pathBelow(folder, name));
    const below = opaque ? lookUpLower(lower, path) : undefined;
    if (below && isDirectory(below.stat))
      yield* packer.header({ path: toBytes(`${path}/${WHITEOUT_OPAQUE}`), mode: 0 });
    yield* packFolder(packer, child, `${path}/`, lower);
  } finally {
    closeFd(child);
  }
}

/** Times aside: those of the top folder change with every file made in it. */
function topDiffers(root: number, stat: FileStat, lower: readonly string[]): boolean {
  const below = lookUpLower(lower, "");
  if (!below) return true;
  const own = listXattrs(pathBelow(root, ".")).filter((name) => !name.startsWith(OVERLAY_XATTRS));
  const theirs = listXattrs(below.path).filter((name) => !name.startsWith(OVERLAY_XATTRS));
  return (
    stat.mode !== below.stat.mode ||
    stat.uid !== below.stat.uid ||
    stat.gid !== below.stat.gid ||
    own.join("\0") !== theirs.join("\0")
  );
}
