import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, HavreError } from "../base/mod.ts";
import {
  AT_FDCWD,
  bindMount,
  closeFd,
  isDirectory,
  mountInfo,
  O_DIRECTORY,
  O_PATH,
  openAt,
  openBeneath,
  statFd,
  unmount,
} from "../kernel/mod.ts";

/**
 * Parts of volumes (`volume-subpath`) as mounts of their own, for the time it takes a runtime to bind them: what was found
 * inside the volume is what gets mounted, whatever is renamed meanwhile (the class of CVE-2021-30465).
 */
export class Parts {
  readonly #folder: string;

  /** `folder`: volatile, `<run>/parts`. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The part as a path that stays what it is until `hide`. `not-found`, `invalid-argument` in Docker's words. */
  show(base: string, subpath: string, holder: string): string {
    const fd = openPart(base, subpath);
    try {
      const folder = join(this.#folder, holder);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const place = join(folder, String(readdirSync(folder).length));
      if (isDirectory(statFd(fd))) mkdirSync(place);
      else closeSync(openSync(place, "wx"));
      bindMount(`/proc/self/fd/${fd}`, place, { recursive: true });
      return place;
    } finally {
      closeFd(fd);
    }
  }

  /** Takes the parts away that were shown for `holder`; who has bound them keeps them. */
  hide(holder: string): void {
    const folder = join(this.#folder, holder);
    let names: readonly string[];
    try {
      names = readdirSync(folder);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return;
      throw error;
    }
    for (const name of names) {
      const place = join(folder, name);
      unmount(place, { detach: true });
      removeEmpty(place);
    }
    rmdirSync(folder);
  }

  /** After a start: what a killed daemon was showing. */
  recover(): void {
    const inside = `${this.#folder}/`;
    for (const { mountPoint } of mountInfo().reverse())
      if (mountPoint.startsWith(inside)) unmount(mountPoint, { detach: true });
    for (const holder of readdirSync(this.#folder)) this.hide(holder);
  }
}

/** Never recursively: a mount that could not be taken away must not be emptied. */
function removeEmpty(place: string): void {
  try {
    rmdirSync(place);
  } catch (error) {
    if (errnoOf(error) !== "ENOTDIR") throw error;
    unlinkSync(place);
  }
}

/** A part of a volume, opened without leaving the volume; the caller closes it. */
export function openPart(base: string, subpath: string): number {
  const root = openAt(AT_FDCWD, base, O_PATH | O_DIRECTORY);
  try {
    return openBeneath(root, subpath, O_PATH);
  } catch (error) {
    const path = join(base, subpath);
    const code = errnoOf(error);
    if (code === "ENOENT")
      throw new HavreError("not-found", `cannot access path ${path}: lstat ${path}: no such file or directory`, {
        cause: error,
      });
    if (code !== "EXDEV") throw error;
    throw new HavreError(
      "failed-precondition",
      `path concatenation escapes the base directory, base: ${base}, subpath: ${subpath}`,
      { cause: error },
    );
  } finally {
    closeFd(root);
  }
}
