import { closeSync, openSync, renameSync, rmSync, statSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { HavreError, toHavreError } from "../../base/mod.ts";
import type { Output } from "../output/output.ts";

/**
 * Writes an archive to a file, or to standard output when none is named. The file appears whole or not at all.
 * `failed-precondition` when it would go to a terminal.
 */
export async function writeArchive(body: AsyncIterable<Uint8Array>, path: string, out: Output): Promise<void> {
  if (path === "") {
    for await (const chunk of body) out.write(chunk);
    return;
  }
  // A device (`-o /dev/null`) is written to, not replaced.
  const whole = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  const target = whole ? `${path}.partial-${process.pid}` : path;
  const fd = openSync(target, "w");
  try {
    for await (const chunk of body) writeAll(fd, chunk);
    closeSync(fd);
    if (whole) renameSync(target, path);
  } catch (error) {
    if (whole) rmSync(target, { force: true });
    throw toHavreError(error);
  }
}

function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength; ) at += writeSync(fd, chunk, at);
}

/** Refuses before the daemon is asked what could not be written anyway. */
export function checkArchiveTarget(path: string, out: Output): void {
  if (path === "") {
    if (out.isTerminal)
      throw new HavreError(
        "failed-precondition",
        "cowardly refusing to save to a terminal. Use the -o flag or redirect",
      );
    return;
  }
  const folder = dirname(path);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new HavreError("not-found", `invalid output path: directory "${folder}" does not exist`);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new HavreError("invalid-argument", `invalid output path: "${path}" must be a file, not a directory`);
}
