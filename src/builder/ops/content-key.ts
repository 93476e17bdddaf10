import { createHash, type Hash } from "node:crypto";
import type { Digest } from "../../base/mod.ts";
import type { FileSource, SourceFile } from "./files/source.ts";

/**
 * Adds what of a file counts for the cache: its name where it goes, kind, mode, owner, link target, content, attributes.
 * Not its times: a file that was touched or cloned again is the same.
 */
export function addFile(hash: Hash, name: string, file: SourceFile, files: FileSource, ownedByRoot: boolean): void {
  const { type, mode, uid, gid, linkTarget, devMajor, devMinor, xattrs } = file;
  const owner = ownedByRoot ? [0, 0] : [uid, gid];
  const content = type === "file" ? files.digest(file) : "";
  const attributes = [...xattrs].map(([key, value]) => [key, Buffer.from(value).toString("hex")]).sort();
  hash.update(JSON.stringify([name, type, mode, owner, linkTarget, devMajor, devMinor, content, attributes]));
  hash.update("\n");
}

/** A cache key of whatever JSON can say. */
export function keyOf(...parts: readonly unknown[]): Digest {
  return `sha256:${createHash("sha256").update(JSON.stringify(parts)).digest("hex")}`;
}
