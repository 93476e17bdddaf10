import type { Digest } from "../../../base/mod.ts";
import type { ByteName } from "../../../snapshots/mod.ts";
import { joinPath } from "./paths.ts";
import type { FileSource, SourceFile } from "./source.ts";

/** A folder of a source as a source of its own. */
export class SubfolderSource implements FileSource {
  readonly #source: FileSource;
  readonly #folder: ByteName;

  constructor(source: FileSource, folder: ByteName) {
    this.#source = source;
    this.#folder = folder;
  }

  stat(path: ByteName): SourceFile | undefined {
    const file = this.#source.stat(joinPath(this.#folder, path));
    return file && { ...file, path };
  }

  list(path: ByteName): readonly ByteName[] {
    return this.#source.list(joinPath(this.#folder, path));
  }

  digest(file: SourceFile): Digest {
    return this.#source.digest(this.#outer(file));
  }

  read(file: SourceFile): Iterable<Uint8Array> {
    return this.#source.read(this.#outer(file));
  }

  #outer(file: SourceFile): SourceFile {
    return { ...file, path: joinPath(this.#folder, file.path) };
  }
}
