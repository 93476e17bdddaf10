import type { Digest } from "../../../base/mod.ts";
import { type ByteName, shown } from "../../../snapshots/mod.ts";
import type { IgnoreMatcher } from "../../../spec/mod.ts";
import { joinPath } from "./paths.ts";
import type { FileSource, SourceFile } from "./source.ts";

/** A source without what a `.dockerignore` leaves out. A folder that is left out shows where something in it is taken back. */
export class FilteredSource implements FileSource {
  readonly #source: FileSource;
  readonly #matcher: IgnoreMatcher;
  readonly #shows = new Map<ByteName, boolean>();

  constructor(source: FileSource, matcher: IgnoreMatcher) {
    this.#source = source;
    this.#matcher = matcher;
  }

  stat(path: ByteName): SourceFile | undefined {
    const file = this.#source.stat(path);
    return file && this.#isShown(file) ? file : undefined;
  }

  list(path: ByteName): readonly ByteName[] {
    return this.#source.list(path).filter((name) => this.stat(joinPath(path, name)) !== undefined);
  }

  digest(file: SourceFile): Digest {
    return this.#source.digest(file);
  }

  read(file: SourceFile): Iterable<Uint8Array> {
    return this.#source.read(file);
  }

  #isShown(file: SourceFile): boolean {
    if (file.path === "") return true;
    const known = this.#shows.get(file.path);
    if (known !== undefined) return known;
    const ignored = this.#matcher.ignores(shown(file.path));
    const shows = !ignored || (file.type === "directory" && this.#matcher.hasExceptions && this.#holdsShown(file.path));
    this.#shows.set(file.path, shows);
    return shows;
  }

  #holdsShown(folder: ByteName): boolean {
    return this.#source.list(folder).some((name) => this.stat(joinPath(folder, name)) !== undefined);
  }
}
