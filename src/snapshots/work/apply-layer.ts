import { type Digest, Digester } from "../../base/mod.ts";
import {
  AT_FDCWD,
  chmodFd,
  chownFd,
  closeFd,
  type FileStat,
  getXattr,
  listXattrs,
  O_DIRECTORY,
  O_RDONLY,
  openAt,
  setMtimeAt,
  setXattr,
} from "../../kernel/mod.ts";
import type { Usage } from "../snapshots.ts";
import type { TarLimits } from "../tar/header.ts";
import { TarParser } from "../tar/parser.ts";
import { TreeExtractor } from "../tree/extractor.ts";
import { lookUpLower } from "../tree/lower.ts";
import { OVERLAY_XATTRS } from "../tree/whiteout.ts";
import { copyUp } from "./lower-file.ts";
import { INPUT, type Work } from "./steps.ts";
import { usageOf } from "./usage.ts";

export interface ApplyLayerJob {
  readonly kind: "apply-layer";
  /** An existing empty folder that becomes the layer's tree. */
  readonly folder: string;
  /** Trees of the layers below, the highest first. */
  readonly lower: readonly string[];
  readonly limits: TarLimits;
}

export interface AppliedTree {
  readonly diffId: Digest;
  /** Bytes of file content. */
  readonly size: number;
  /** The layer hides all below it. */
  readonly opaque: boolean;
  readonly usage: Usage;
}

/** One pass over the archive: digest and extraction. */
export function* applyLayer({ folder, lower, limits }: ApplyLayerJob): Work<AppliedTree> {
  const root = openAt(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY);
  try {
    inheritTop(root, lower);
    using extractor: TreeExtractor = new TreeExtractor(root, {
      layer: true,
      bring: (path) => copyUp(lower, path, extractor),
      onImplied: (path, fd) => {
        const source = lookUpLower(lower, path);
        if (source) inherit(fd, source.path, source.stat);
      },
    });
    const digester = new Digester();
    const parser = new TarParser(extractor, limits);
    for (let chunk = yield INPUT; chunk; chunk = yield INPUT) {
      digester.update(chunk);
      parser.write(chunk);
    }
    parser.end();
    extractor.end();
    const usage = yield* usageOf(root);
    return { diffId: digester.digest(), size: extractor.size, opaque: extractor.opaqueRoot, usage };
  } finally {
    closeFd(root);
  }
}

/** The top folder of a stack is the highest layer's: one that says nothing about it repeats what is below. */
function inheritTop(root: number, lower: readonly string[]): void {
  const top = lookUpLower(lower, "");
  if (top) inherit(root, top.path, top.stat);
  else chmodFd(root, 0o755);
}

/** Gives a folder that no member is about the attributes it has in the layers below. */
function inherit(fd: number, from: Uint8Array, stat: FileStat): void {
  const path = `/proc/self/fd/${fd}/.`;
  const folder = openAt(fd, ".", O_RDONLY | O_DIRECTORY);
  try {
    chownFd(folder, stat.uid, stat.gid);
    chmodFd(folder, stat.mode & 0o7777);
  } finally {
    closeFd(folder);
  }
  for (const name of listXattrs(from)) {
    const value = name.startsWith(OVERLAY_XATTRS) ? undefined : getXattr(from, name);
    if (value) setXattr(path, name, value);
  }
  setMtimeAt(fd, ".", stat.mtime);
}
