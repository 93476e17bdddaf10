import { chmodSync, closeSync, mkdirSync, openSync, readdirSync, rmdirSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, isHavreError } from "../base/mod.ts";
import { AT_FDCWD, chownAt, MappedMount, mountInfo, type UserNamespace, unmount } from "../kernel/mod.ts";

/**
 * Files and folders of the host with a container's owners, as mounts of their own for the time it takes a runtime to bind
 * them: `<folder>/<container>/<n>`. Also the way to sources that a container's own root could not pass to.
 */
export class MappedSources {
  readonly #folder: string;

  /** `folder`: volatile, `<run>/mapped`. */
  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o711 });
    chmodSync(folder, 0o711);
  }

  /** Shows `source` until `hide`; returns where. `failed-precondition` where its file system cannot be mapped. */
  show(holder: string, source: string, owners: UserNamespace, recursive: boolean): string {
    const folder = join(this.#folder, holder);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    openTo(folder, owners);
    const place = join(folder, String(readdirSync(folder).length));
    using mapped = new MappedMount(source, owners, recursive);
    if (statSync(source).isDirectory()) mkdirSync(place);
    else closeSync(openSync(place, "wx"));
    mapped.attach(place);
    return place;
  }

  /** Why `source` cannot be shown; undefined: it can. */
  trouble(source: string, owners: UserNamespace, recursive: boolean): string | undefined {
    try {
      new MappedMount(source, owners, recursive)[Symbol.dispose]();
      return undefined;
    } catch (error) {
      if (isHavreError(error, "failed-precondition")) return error.message;
      throw error;
    }
  }

  /** Takes away what was shown to `holder`; what it has bound it keeps. */
  hide(holder: string): void {
    const folder = join(this.#folder, holder);
    for (const name of unlessMissing(() => readdirSync(folder)) ?? []) {
      const place = join(folder, name);
      unmount(place, { detach: true });
      removeEmpty(place);
    }
    unlessMissing(() => rmdirSync(folder));
  }

  /** After a start: what a killed daemon was showing. */
  recover(): void {
    const inside = `${this.#folder}/`;
    for (const { mountPoint } of mountInfo().reverse())
      if (mountPoint.startsWith(inside)) unmount(mountPoint, { detach: true });
    for (const holder of readdirSync(this.#folder)) this.hide(holder);
  }
}

/** Lets the root of `owners` pass through a folder that is closed to everyone else. */
export function openTo(folder: string, owners: UserNamespace): void {
  chownAt(AT_FDCWD, folder, 0, owners.root.gid);
  chmodSync(folder, 0o710);
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

function unlessMissing<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return undefined;
    throw error;
  }
}
