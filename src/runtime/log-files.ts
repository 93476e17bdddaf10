import { closeSync, linkSync, openSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { errnoOf } from "../base/mod.ts";

/**
 * The generations of a container's log: `PATH` is written, `PATH.1` the one before, and so on.
 *
 * conmon begins a new file by renaming it over the old, which would be lost. `PATH.live` is a second name of the file
 * being written: when `PATH` has become another file, `PATH.live` is the generation that just ended. Without a daemon,
 * or when two end within one turn of its event loop, a generation is lost; the size stays bounded.
 */
export function keepGenerations(path: string, maxFiles: number): void {
  const live = `${path}.live`;
  const current = inodeOf(path);
  if (current === undefined) return;
  const kept = inodeOf(live);
  if (kept === current) return;
  if (kept !== undefined) shift(path, maxFiles);
  if (maxFiles > 1) linkSync(path, live);
}

/** `PATH.live` becomes generation 1, the others move up, the oldest goes. */
function shift(path: string, maxFiles: number): void {
  if (maxFiles <= 1) {
    rmSync(`${path}.live`, { force: true });
    return;
  }
  rmSync(`${path}.${maxFiles - 1}`, { force: true });
  for (let n = maxFiles - 2; n >= 1; n--) renameIfThere(`${path}.${n}`, `${path}.${n + 1}`);
  renameIfThere(`${path}.live`, `${path}.1`);
}

/** Docker's `max-size=-1` is a log without bounds. */
export function isBounded({ maxSize }: { readonly maxSize: number }): boolean {
  return Number.isFinite(maxSize) && maxSize > 0;
}

/** Before a container writes on: conmon counts from nothing, so a file that is full already ends here. */
export function beginGenerations(path: string, maxSize: number, maxFiles: number): void {
  endGenerations(path, maxFiles);
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxSize || !isBounded({ maxSize })) return;
  linkSync(path, `${path}.live`);
  rmSync(path);
  shift(path, maxFiles);
}

/** Forgets the second name of the live file, which would otherwise count as a generation after the container's end. */
export function endGenerations(path: string, maxFiles: number): void {
  keepGenerations(path, maxFiles);
  rmSync(`${path}.live`, { force: true });
}

/** An open log file. */
export interface LogFile {
  readonly fd: number;
  readonly inode: number;
}

/** Opens every generation there is, oldest first. The caller closes them. */
export function openGenerations(path: string): LogFile[] {
  const files: LogFile[] = [];
  const seen = new Set<number>();
  const open = (name: string) => {
    try {
      const fd = openSync(name, "r");
      const inode = statSync(`/proc/self/fd/${fd}`).ino;
      if (seen.has(inode)) closeSync(fd);
      else files.push({ fd, inode });
      seen.add(inode);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT") throw error;
    }
  };
  for (const number of generationNumbers(path)) open(`${path}.${number}`);
  // A generation that just ended may not have its number yet.
  open(`${path}.live`);
  open(path);
  return files;
}

/** Removes every generation of a log. */
export function removeLog(path: string): void {
  for (const number of generationNumbers(path)) rmSync(`${path}.${number}`, { force: true });
  for (const suffix of [".live", ".tmp", ""]) rmSync(`${path}${suffix}`, { force: true });
}

/** Highest, that is oldest, first. */
function generationNumbers(path: string): number[] {
  const prefix = `${basename(path)}.`;
  let names: string[];
  try {
    names = readdirSync(dirname(path));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
  return names
    .filter((name) => name.startsWith(prefix) && /^\d+$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .sort((a, b) => b - a);
}

export function inodeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.ino;
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}
