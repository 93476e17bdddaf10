import { errnoOf, HavreError } from "../../base/mod.ts";
import { AT_FDCWD, chmodAt, closeFd, mkdirAt, O_DIRECTORY, O_PATH, openInRoot } from "../../kernel/mod.ts";
import { type ByteName, shown, toBytes } from "./names.ts";

/** Open descriptors of recently used folders: archives list a folder's files together. */
const KEPT = 32;
const PATH_LIMIT = 4095;

/** Folders of one tree, by their path below `prefix`, opened without ever leaving the tree. */
export class Folders implements Disposable {
  readonly #root: number;
  readonly #prefix: ByteName;
  readonly #open = new Map<ByteName, number>();
  readonly #onImplied: (path: ByteName, fd: number) => void;

  /** `onImplied` is told of folders that had to be made though nobody named them. */
  constructor(root: number, prefix: ByteName = "", onImplied: (path: ByteName, fd: number) => void = () => {}) {
    this.#root = root;
    this.#prefix = prefix;
    this.#onImplied = onImplied;
  }

  /** The descriptor of a folder; good until many others were used. `not-found` when it is not there. */
  get(path: ByteName): number {
    const known = this.#open.get(path);
    if (known !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, known);
      return known;
    }
    const full = this.#prefix === "" || path === "" ? `${this.#prefix}${path}` : `${this.#prefix}/${path}`;
    if (full.length > PATH_LIMIT) {
      throw new HavreError("invalid-argument", `The path ${shown(path.slice(0, 60))}… is longer than Linux allows`);
    }
    const fd = openInRoot(this.#root, toBytes(full), O_PATH | O_DIRECTORY);
    this.#keep(path, fd);
    return fd;
  }

  /** The same; missing folders are made, mode 0755. */
  ensure(path: ByteName): number {
    try {
      return this.get(path);
    } catch (error) {
      if (errnoOf(error) !== "ENOENT" || path === "") throw error;
    }
    const slash = path.lastIndexOf("/");
    const parent = this.ensure(path.slice(0, Math.max(slash, 0)));
    mkdirAt(parent, toBytes(path.slice(slash + 1)), 0o755);
    const fd = this.get(path);
    chmodAt(AT_FDCWD, `/proc/self/fd/${fd}`, 0o755);
    this.#onImplied(path, fd);
    return fd;
  }

  /** After something was replaced in the folder `kept`: what else is open may not be what its path means any more. */
  forgetAllBut(kept: number): void {
    for (const [path, fd] of this.#open) {
      if (fd === kept) continue;
      this.#open.delete(path);
      closeFd(fd);
    }
  }

  [Symbol.dispose](): void {
    this.forgetAllBut(-1);
  }

  #keep(path: ByteName, fd: number): void {
    if (this.#open.size >= KEPT) {
      const oldest = this.#open.entries().next().value;
      if (oldest) {
        this.#open.delete(oldest[0]);
        closeFd(oldest[1]);
      }
    }
    this.#open.set(path, fd);
  }
}
