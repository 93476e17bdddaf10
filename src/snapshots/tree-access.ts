import type { HeldIds, TreeEntry, UnpackOptions } from "./snapshots.ts";
import { statTree } from "./tree/stat-tree.ts";
import { LocalRunner } from "./work/runner.ts";

/**
 * What one path inside a tree is, without following a link at its end (unless it ends in a slash). `root` is a mounted
 * tree, that of a running process too. `not-found`.
 */
export function statInTree(root: string, path: string): TreeEntry {
  return statTree(root, path);
}

/**
 * One path inside a tree as an archive whose entries are named as `docker cp` wants them: after the last component asked
 * for (`dir/…`; `./…` for `dir/.`). `ids`: what the tree's owners are shown as. `not-found`.
 */
export function packTree(root: string, path: string, signal?: AbortSignal, ids?: HeldIds): AsyncIterable<Uint8Array> {
  return new LocalRunner().stream({ kind: "pack-tree", root, path, ...(ids ? { ids } : {}) }, signal);
}

/** A whole tree as an archive, entries named from its top without a slash: what `docker export` gives. `ids`: as above. */
export function packWholeTree(root: string, signal?: AbortSignal, ids?: HeldIds): AsyncIterable<Uint8Array> {
  return new LocalRunner().stream({ kind: "pack-tree", root, path: undefined, ...(ids ? { ids } : {}) }, signal);
}

/**
 * Unpacks an archive into the folder `path` of a tree, which exists. `not-found`; `invalid-argument` when it is no folder,
 * or for an archive that is malformed or reaches out of it. Not undone when it fails half-way, as with any copy.
 */
export async function unpackIntoTree(
  root: string,
  path: string,
  tar: AsyncIterable<Uint8Array>,
  options: UnpackOptions,
  signal?: AbortSignal,
): Promise<void> {
  await new LocalRunner().run({ kind: "unpack-tree", root, path, ...options }, tar, signal);
}
