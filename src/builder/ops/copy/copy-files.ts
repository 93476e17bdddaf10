import { type ByteName, fromBytes, shown } from "../../../snapshots/mod.ts";
import { IgnoreMatcher } from "../../../spec/mod.ts";
import type { CopyOp, CopySource } from "../../graph/ops.ts";
import { baseOf, cleanPath, joinPath, parentOf, walk } from "../files/paths.ts";
import type { FileSource, SourceFile } from "../files/source.ts";
import type { Placement } from "./placement.ts";
import { type Selected, select } from "./select.ts";

/** A source of a copy with what its paths came to. */
export interface Chosen {
  readonly files: FileSource;
  readonly selected: readonly Selected[];
  readonly what: CopySource;
  /** What is in an archive that is to be unpacked, by the path that was asked for. */
  readonly archives: ReadonlyMap<ByteName, FileSource>;
}

/** Whether a path below a chosen folder is left out. */
export type Excluded = (path: ByteName) => boolean;

export function excludedBy(patterns: readonly string[]): Excluded | undefined {
  if (patterns.length === 0) return undefined;
  const matcher = new IgnoreMatcher(patterns);
  return (path) => matcher.ignores(shown(path));
}

/** What the sources of a copy name. `not-found`. */
export function choose(op: CopyOp, inputs: readonly FileSource[]): readonly Omit<Chosen, "archives">[] {
  return op.sources.map((what) => {
    const files = inputs[what.input];
    if (!files) throw new Error(`Input ${what.input} of a copy is missing`);
    return { files, selected: select(files, what.path), what };
  });
}

/** Files of a chosen path, itself included, as they are to be copied: the excluded ones left out. */
export function* filesOf(files: FileSource, top: SourceFile, excluded: Excluded | undefined): Generator<SourceFile> {
  for (const file of walk(files, top)) {
    const relative = top.path === "" ? file.path : file.path.slice(top.path.length + 1);
    if (file === top || !excluded?.(relative)) yield file;
  }
}

/** Places what was chosen at the destination, as `COPY` does. */
export function placeChosen(placement: Placement, op: CopyOp, chosen: readonly Chosen[], excluded?: Excluded): void {
  const copier = new Copier(placement, op, excluded);
  for (const { files, selected, what, archives } of chosen) {
    for (const one of selected) {
      const archive = archives.get(one.asked);
      if (archive) copier.unpack(archive);
      else copier.copy(files, one, op.parents ? keptParents(one.asked, what.path) : "");
    }
  }
}

class Copier {
  readonly #placement: Placement;
  readonly #op: CopyOp;
  readonly #excluded: Excluded | undefined;
  readonly #destination: ByteName;

  constructor(placement: Placement, op: CopyOp, excluded: Excluded | undefined) {
    this.#placement = placement;
    this.#op = op;
    this.#excluded = excluded;
    this.#destination = fromBytes(Buffer.from(op.destination));
  }

  copy(files: FileSource, { asked, file }: Selected, parents: ByteName): void {
    const placement = this.#placement;
    const top = this.#target();
    const target = joinPath(top, parents);
    if (this.#op.parents) this.#makeParents(files, top, asked, parents);
    if (file.type !== "directory") {
      const inFolder = this.#op.parents || placement.stat(target)?.type === "directory";
      const place = inFolder ? joinPath(target, baseOf(asked)) : target;
      placement.makeFolders(parentOf(place));
      if (!this.#excluded?.(baseOf(asked))) placement.put(place, this.#owned(file), files, false);
      return;
    }
    const place = this.#op.parents ? joinPath(target, baseOf(asked)) : target;
    // The folder at the top is a new one, or the one that is there: of the source only what is in it counts.
    if (this.#op.parents) placement.put(place, this.#owned(file), files, false);
    else placement.makeFolders(place);
    this.#fill(place, files, file);
  }

  /** What is in an archive goes into the destination, which is a folder. */
  unpack(archive: FileSource): void {
    const target = this.#placement.resolve(cleanPath(this.#destination));
    this.#placement.makeFolders(target);
    const top = archive.stat("");
    if (top) this.#fill(target, archive, top);
  }

  #fill(place: ByteName, files: FileSource, top: SourceFile): void {
    for (const inside of filesOf(files, top, this.#excluded)) {
      if (inside === top) continue;
      const relative = top.path === "" ? inside.path : inside.path.slice(top.path.length + 1);
      this.#placement.put(joinPath(place, relative), this.#owned(inside), files, true);
    }
  }

  /** Where the destination leads, what is missing on the way made. A slash at its end: it is a folder, there or not. */
  #target(): ByteName {
    const clean = cleanPath(this.#destination);
    const isFolder = this.#destination.endsWith("/");
    this.#placement.makeFolders(this.#placement.resolve(isFolder ? clean : parentOf(clean)));
    return this.#placement.resolve(clean);
  }

  /** Folders that lead to a source, with the attributes they have there. */
  #makeParents(files: FileSource, top: ByteName, asked: ByteName, parents: ByteName): void {
    this.#placement.makeFolders(top);
    const parts = parents === "" ? [] : parents.split("/");
    const before = parentOf(asked).split("/").length - parts.length;
    for (const [at] of parts.entries()) {
      const source = asked
        .split("/")
        .slice(0, before + at + 1)
        .join("/");
      const file = files.stat(source);
      const place = joinPath(top, parts.slice(0, at + 1).join("/"));
      if (file?.type === "directory") this.#placement.put(place, this.#owned(file), files, false);
      else this.#placement.makeFolders(place);
    }
  }

  #owned(file: SourceFile): SourceFile {
    return this.#op.ownedByRoot ? { ...file, uid: 0, gid: 0 } : file;
  }
}

/** The folders of `asked` that `--parents` keeps: all, or those behind a `/./` of the source. */
function keptParents(asked: ByteName, written: string): ByteName {
  const pivot = written.lastIndexOf("/./");
  const dropped = pivot < 0 ? "" : cleanPath(fromBytes(Buffer.from(written.slice(0, pivot))));
  const parents = parentOf(asked);
  if (dropped === "") return parents;
  const depth = dropped.split("/").length;
  return parents.split("/").slice(depth).join("/");
}
