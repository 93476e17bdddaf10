import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join, posix } from "node:path";
import { HavreError } from "../../../../base/mod.ts";
import { type CopyPlan, renamed } from "./paths.ts";
import { readTar, type TarEntry } from "./tar-reader.ts";

/**
 * Unpacks what came from a container. Its owner may have made the archive: no name leads outside the folder, and no
 * link that it brings is followed on the way (CVE-2018-15664, CVE-2019-14271 and their kin).
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  plan: CopyPlan,
  onSkip: (name: string) => void,
): Promise<void> {
  const folders: { path: string; mtime: number; mode: number }[] = [];
  let fd: number | undefined;
  let current: { path: string; mtime: number; mode: number } | undefined;
  await readTar(source, {
    entry(entry) {
      const path = placeOf(entry.name, plan);
      if (entry.type === "folder") {
        makeFolder(path);
        folders.push({ path, mtime: entry.mtime, mode: entry.mode });
        return undefined;
      }
      checkReplaced(path, entry);
      if (!makeLink(entry, path, plan)) {
        if (entry.type !== "file") {
          onSkip(entry.name);
          return undefined;
        }
        const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
        const file = openSync(path, flags, 0o600);
        fd = file;
        current = { path, mtime: entry.mtime, mode: entry.mode };
        return (chunk) => writeAll(file, chunk);
      }
      return undefined;
    },
    finish() {
      if (fd === undefined || !current) return;
      closeSync(fd);
      fd = undefined;
      chmodSync(current.path, current.mode);
      utimesSync(current.path, current.mtime, current.mtime);
    },
  });
  // Last, and innermost first: what is put into a folder changes its time, and a read-only one takes nothing.
  for (const { path, mtime, mode } of folders.reverse()) {
    chmodSync(path, mode);
    utimesSync(path, mtime, mtime);
  }
}

function placeOf(name: string, plan: CopyPlan): string {
  const relative = posix.normalize(renamed(name, plan)).replace(/\/$/, "");
  if (relative.startsWith("/") || relative === ".." || relative.startsWith("../"))
    throw new HavreError(
      "permission-denied",
      `The archive from the container names a path outside: ${JSON.stringify(name)}`,
    );
  const parts = relative.split("/");
  for (let count = 1; count < parts.length; count++) {
    const parent = join(plan.folder, ...parts.slice(0, count));
    const stat = lstatSync(parent, { throwIfNoEntry: false });
    if (!stat) mkdirSync(parent);
    else if (stat.isSymbolicLink())
      throw new HavreError(
        "permission-denied",
        `${JSON.stringify(name)} would be written through the symbolic link ${parent}`,
      );
  }
  return join(plan.folder, relative);
}

function makeFolder(path: string): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat && !stat.isDirectory())
    throw new HavreError("conflict", `cannot overwrite non-directory ${JSON.stringify(path)} with directory`);
  if (!stat) mkdirSync(path, { mode: 0o700 });
}

function checkReplaced(path: string, { name }: TarEntry): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory())
    throw new HavreError(
      "conflict",
      `cannot overwrite directory ${JSON.stringify(path)} with non-directory ${JSON.stringify(name)}`,
    );
  rmSync(path, { force: true });
}

function makeLink(entry: TarEntry, path: string, plan: CopyPlan): boolean {
  if (entry.type === "symlink") {
    symlinkSync(entry.link, path);
    lutimesSync(path, entry.mtime, entry.mtime);
    return true;
  }
  if (entry.type !== "hardlink") return false;
  linkSync(placeOf(entry.link, plan), path);
  return true;
}

function writeAll(fd: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength; ) at += writeSync(fd, chunk, at);
}
