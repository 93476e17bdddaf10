import { rmSync } from "node:fs";
import { join } from "node:path";
import { isHavreError } from "../../../base/mod.ts";
import { decompress, detectCompression } from "../../../images/mod.ts";
import type { OpContext } from "../context.ts";
import type { FileSource, SourceFile } from "./source.ts";
import { TarSource } from "./tar-source.ts";

/** `ustar` at its place in the first header of an archive. */
const MAGIC_AT = 257;
const HEADER = 512;

/**
 * What is in an archive, compressed or not; undefined when the file is none: `ADD` goes by the content, not by the name.
 * To be disposed.
 */
export async function unpacked(
  context: Pick<OpContext, "root" | "newId">,
  files: FileSource,
  file: SourceFile,
  signal: AbortSignal,
): Promise<TarSource | undefined> {
  if (file.type !== "file" || !(await looksLikeArchive(files, file, signal))) return undefined;
  const path = join(context.root, "contexts", context.newId());
  try {
    return await TarSource.read(decompress(stream(files, file), signal), path, signal);
  } finally {
    // Open, it stays readable.
    rmSync(path, { force: true });
  }
}

async function looksLikeArchive(files: FileSource, file: SourceFile, signal: AbortSignal): Promise<boolean> {
  const head = firstBytes(files.read(file));
  if (detectCompression(head) === "none") return isTarHeader(head);
  try {
    let start = Buffer.alloc(0);
    for await (const chunk of decompress(stream(files, file), signal)) {
      start = Buffer.concat([start, chunk]);
      if (start.length >= HEADER) break;
    }
    return isTarHeader(start);
  } catch (error) {
    // It only began like one.
    if (isHavreError(error, "data-loss")) return false;
    throw error;
  }
}

/** By its magic, or, where an archive is older than that, by the sum of its header. */
function isTarHeader(head: Uint8Array): boolean {
  if (head.length < HEADER) return false;
  if (Buffer.from(head.subarray(MAGIC_AT, MAGIC_AT + 5)).toString() === "ustar") return true;
  const stated = Number.parseInt(Buffer.from(head.subarray(148, 156)).toString("latin1"), 8);
  const sum = head.subarray(0, HEADER).reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
  return head[0] !== 0 && stated === sum;
}

function firstBytes(chunks: Iterable<Uint8Array>): Uint8Array {
  let head = Buffer.alloc(0);
  for (const chunk of chunks) {
    head = Buffer.concat([head, chunk]);
    if (head.length >= HEADER) break;
  }
  return head;
}

async function* stream(files: FileSource, file: SourceFile): AsyncGenerator<Uint8Array> {
  yield* files.read(file);
}
