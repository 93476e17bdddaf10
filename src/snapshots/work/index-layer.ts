import { closeSync, openSync, readSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Digester } from "../../base/mod.ts";
import { getXattr, isDirectory, listXattrs } from "../../kernel/mod.ts";
import { INDEX, TAR } from "../erofs/mount.ts";
import type { Attributes, FolderNode } from "../erofs/node.ts";
import { NotIndexable, TreeBuilder } from "../erofs/tree-builder.ts";
import { writeIndex } from "../erofs/write-index.ts";
import type { TarLimits } from "../tar/header.ts";
import { TarParser } from "../tar/parser.ts";
import { lookUpLower } from "../tree/lower.ts";
import type { ByteName } from "../tree/names.ts";
import { OVERLAY_XATTRS } from "../tree/whiteout.ts";
import type { AppliedTree } from "./apply-layer.ts";
import { INPUT, PAUSE, type Work } from "./steps.ts";

export interface IndexLayerJob {
  readonly kind: "index-layer";
  /** The layer's folder: the tar is there already (`read`), or is written there as it comes. */
  readonly folder: string;
  readonly read: boolean;
  /** Trees of the layers below, the highest first. */
  readonly lower: readonly string[];
  readonly limits: TarLimits;
}

/** A layer whose index is written; or why it has to be unpacked, its tar being there. */
export type IndexedLayer = AppliedTree | { readonly why: string };

const READ = 1 << 20;

/** One pass over the archive: digest and index. What the archive says of itself is refused as when it is unpacked. */
export function* indexLayer({ folder, read, lower, limits }: IndexLayerJob): Work<IndexedLayer> {
  const digester = new Digester();
  let why: string | undefined;
  const builder: TreeBuilder = new TreeBuilder(() => parser.contentOffset);
  const parser = new TarParser(builder, limits);
  const take = (chunk: Uint8Array) => {
    digester.update(chunk);
    if (why !== undefined) return;
    try {
      parser.write(chunk);
    } catch (error) {
      if (!(error instanceof NotIndexable)) throw error;
      why = error.message;
    }
  };
  yield* read ? reading(join(folder, TAR), take) : keeping(join(folder, TAR), take);
  if (why !== undefined) return { why };
  parser.end();
  inherit(builder.root, "", lower);
  const { bytes, inodes, content } = writeIndex(builder.root, digester.size);
  writeFileSync(join(folder, INDEX), bytes, { mode: 0o600 });
  // A tar that was there already is somebody else's too.
  const usage = { size: bytes.length + (read ? 0 : digester.size), content, inodes };
  return { diffId: digester.digest(), size: builder.size, opaque: builder.opaqueRoot, usage };
}

function* reading(path: string, take: (chunk: Uint8Array) => void): Work<void> {
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(READ);
    for (let count = readSync(fd, buffer, 0, READ, null); count > 0; count = readSync(fd, buffer, 0, READ, null)) {
      take(buffer.subarray(0, count));
      yield PAUSE;
    }
  } finally {
    closeSync(fd);
  }
}

function* keeping(path: string, take: (chunk: Uint8Array) => void): Work<void> {
  const fd = openSync(path, "wx", 0o600);
  try {
    for (let chunk = yield INPUT; chunk; chunk = yield INPUT) {
      for (let at = 0; at < chunk.length; ) at += writeSync(fd, chunk, at);
      take(chunk);
    }
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** Folders that no member is about are as they are below; the top one of a stack with nothing below is root's. */
function inherit(folder: FolderNode, path: ByteName, lower: readonly string[]): void {
  folder.attributes ??= attributesBelow(lower, path);
  for (const [name, child] of folder.children) {
    if (child.type === "directory") inherit(child, path === "" ? name : `${path}/${name}`, lower);
  }
}

function attributesBelow(lower: readonly string[], path: ByteName): Attributes | undefined {
  const found = lookUpLower(lower, path);
  if (!found || !isDirectory(found.stat)) return undefined;
  const xattrs = new Map<string, Uint8Array>();
  for (const name of listXattrs(found.path)) {
    const value = name.startsWith(OVERLAY_XATTRS) ? undefined : getXattr(found.path, name);
    if (value) xattrs.set(name, value);
  }
  const { mode, uid, gid, mtime } = found.stat;
  return { mode: mode & 0o7777, uid, gid, mtime, xattrs };
}
