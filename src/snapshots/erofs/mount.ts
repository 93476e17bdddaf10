import { closeSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toHavreError } from "../../base/mod.ts";
import { mount, mountOverlay, unmount } from "../../kernel/mod.ts";
import { BLOCK } from "./format.ts";
import { newFolder } from "./node.ts";
import { writeIndex } from "./write-index.ts";

/** Names of a layer's parts in its folder. */
export const TAR = "layer.tar";
export const INDEX = "index.erofs";

/**
 * Mounts the layer kept in `folder` as index and tar on `target`: nothing is unpacked, its files are read from the tar.
 * The kernel keeps both files open; they may be unlinked while it is mounted.
 */
export function mountIndexed(folder: string, target: string): void {
  // By a descriptor: a path with a comma would end the option.
  const fd = openSync(folder, "r");
  try {
    const place = `/proc/self/fd/${fd}`;
    mount({ type: "erofs", source: `${place}/${INDEX}`, options: ["ro", `device=${place}/${TAR}`] }, target);
  } finally {
    closeSync(fd);
  }
}

/**
 * Whether the kernel mounts such layers here and lays an overlay over them: Linux 6.12 or later with EROFS and its
 * file-backed mounts, and a root folder that is no overlay itself (file systems stack two deep only). Tried, since
 * nothing else tells. undefined: it does; else why not.
 * @param folder an empty place to try in, removed afterwards.
 */
export function whyNotIndexed(folder: string): string | undefined {
  const [tree, view] = [join(folder, "fs"), join(folder, "view")];
  for (const one of [tree, view, join(folder, "upper"), join(folder, "work")]) mkdirSync(one, { recursive: true });
  writeFileSync(join(folder, TAR), Buffer.alloc(2 * BLOCK));
  writeFileSync(join(folder, INDEX), writeIndex(newFolder(), 2 * BLOCK).bytes);
  try {
    mountIndexed(folder, tree);
    const [upper, work] = [join(folder, "upper"), join(folder, "work")];
    mountOverlay({ lower: [tree], upper, work, base: folder }, view);
    return undefined;
  } catch (error) {
    return toHavreError(error).message;
  } finally {
    unmount(view, { detach: true });
    unmount(tree, { detach: true });
    rmSync(folder, { recursive: true, force: true });
  }
}
