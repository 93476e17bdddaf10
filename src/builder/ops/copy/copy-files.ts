import { type ByteName, fromBytes } from "../../../snapshots/mod.ts";
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
}

/** Whether a path below a chosen folder is left out; `undefined`: nothing is. */
export type Excluded = (path: ByteName) => boolean;

/** What the sources of a copy name. `not-found`. */
export function choose(op: CopyOp, inputs: readonly FileSource[]): readonly Chosen[] {
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
  const destination = fromBytes(Buffer.from(op.destination));
  for (const { files, selected } of chosen) {
    for (const one of selected) placeOne(placement, op, destination, files, one, excluded);
  }
}

function placeOne(
  placement: Placement,
  op: CopyOp,
  destination: ByteName,
  files: FileSource,
  { asked, file }: Selected,
  excluded: Excluded | undefined,
): void {
  // A slash at its end: it is a folder, there or not.
  const isFolder = destination.endsWith("/");
  placement.makeFolders(placement.resolve(isFolder ? destination : parentOf(cleanPath(destination))));
  let target = placement.resolve(cleanPath(destination));
  if (op.parents) {
    target = joinPath(target, parentsOf(asked, op));
    placement.makeFolders(target);
  }
  const there = placement.stat(target);
  if (file.type !== "directory") {
    if (there?.type === "directory") target = joinPath(target, baseOf(asked));
    placement.makeFolders(parentOf(target));
    if (!excluded?.(baseOf(asked))) placement.put(target, owned(file, op), files, false);
    return;
  }
  if (op.parents) target = joinPath(target, baseOf(asked));
  placement.makeFolders(parentOf(target));
  if (!placement.stat(target)) placement.makeFolders(target);
  for (const inside of filesOf(files, file, excluded)) {
    const relative = file.path === "" ? inside.path : inside.path.slice(file.path.length + 1);
    const path = inside === file ? target : joinPath(target, relative);
    placement.put(path, owned(inside, op), files, inside !== file);
  }
}

/** `a/b/c` with `--parents` goes below `a/b`; what stands before `/./` is not kept. */
function parentsOf(asked: ByteName, _op: CopyOp): ByteName {
  return parentOf(asked);
}

function owned(file: SourceFile, { ownedByRoot }: CopyOp): SourceFile {
  return ownedByRoot ? { ...file, uid: 0, gid: 0 } : file;
}
