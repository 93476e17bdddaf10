/**
 * Whether a layer kept as tar and index is still what it was made as. Its bytes are digested when it is made; before it is used
 * its files are looked at: while they are the same files of the same size, not written to since, they are taken for
 * the same bytes. Else they are digested again. Bytes that the disk itself lost are found by the whole pass only (`verify`).
 */
import { createReadStream, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, Digester, digestOf, errnoOf } from "../base/mod.ts";
import { INDEX, TAR } from "./erofs/mount.ts";

const READ = 1 << 20;

/** A file as stat(2) tells it: inode, bytes and time of the last write in nanoseconds, in one text. */
type FileMark = string;

export interface Seal {
  readonly tar: FileMark;
  readonly index: FileMark;
  readonly indexDigest: Digest;
}

/** Of the files as they are; of a layer whose bytes are known to be right. */
export async function sealOf(folder: string): Promise<Seal> {
  const marks = marksOf(folder);
  return { ...marks, indexDigest: digestOf(await readFile(join(folder, INDEX))) };
}

/** Some microseconds. Files that are gone fit no seal. */
export function sealHolds(folder: string, seal: Seal): boolean {
  try {
    const { tar, index } = marksOf(folder);
    return tar === seal.tar && index === seal.index;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Digests both files: what is wrong with them, or undefined. A layer from before there were seals has its tar checked alone. */
export async function damageOf(
  folder: string,
  diffId: Digest,
  seal: Seal | undefined,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const tar = new Digester(diffId.startsWith("sha512:") ? "sha512" : "sha256");
  try {
    for await (const chunk of createReadStream(join(folder, TAR), { highWaterMark: READ, signal })) tar.update(chunk);
    const found = tar.digest();
    if (found !== diffId) return `its digest is ${found}`;
    if (seal && digestOf(await readFile(join(folder, INDEX))) !== seal.indexDigest) return "its index was changed";
    return undefined;
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT") return "a file of it is missing";
    if (code === "EIO") return "the disk cannot read it";
    throw error;
  }
}

function marksOf(folder: string): Pick<Seal, "tar" | "index"> {
  return { tar: mark(join(folder, TAR)), index: mark(join(folder, INDEX)) };
}

function mark(path: string): FileMark {
  const { ino, size, mtimeNs } = statSync(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}
