import { posix } from "node:path";
import { HavreError } from "../../../../base/mod.ts";

/** `CONTAINER:PATH` or a local path; a local path with a colon needs `./` or `/` in front (docker/cli, cp.go). */
export function splitArgument(text: string): { readonly container?: string; readonly path: string } {
  const colon = text.indexOf(":");
  if (text.startsWith("/") || colon < 0 || text.startsWith(".")) return { path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

/** A trailing `/` or `/.` says "the folder itself, or what is in it", so that normalising must keep it. */
export function absolute(path: string): string {
  const whole = posix.resolve(path);
  if (/(^|\/)\.$/.test(path)) return whole === "/" ? "/." : `${whole}/.`;
  return path.endsWith("/") && whole !== "/" ? `${whole}/` : whole;
}

export function assertsFolder(path: string): boolean {
  return path.endsWith("/") || /(^|\/)\.$/.test(path);
}

/** Folder and last part; of `dir/.` the last part is `.`: its content, not itself. */
export function splitEntry(path: string): { readonly folder: string; readonly base: string } {
  const clean = posix.normalize(path).replace(/(.)\/$/, "$1");
  if (/(^|\/)\.$/.test(path)) return { folder: clean, base: "." };
  return { folder: posix.dirname(clean), base: posix.basename(clean) || "/" };
}

export interface CopySide {
  readonly path: string;
  readonly exists: boolean;
  readonly isFolder: boolean;
  /** The name entries have in the archive, when it is not the path's last part. */
  readonly archivedAs?: string;
}

export interface CopyPlan {
  /** Where the archive is unpacked. */
  readonly folder: string;
  /** The first part of every entry's name, before and after. */
  readonly rename?: { readonly from: string; readonly to: string };
}

/** Where an archive of the source goes and what its entries are called there (moby, archive.PrepareArchiveCopy). */
export function planCopy(source: CopySide, destination: CopySide): CopyPlan {
  if (destination.isFolder) return { folder: destination.path };
  if (destination.exists && source.isFolder) throw new HavreError("invalid-argument", "cannot copy directory");
  if (!destination.exists && !source.isFolder && assertsFolder(destination.path))
    throw new HavreError("not-found", "no such directory");
  const target = splitEntry(destination.path);
  return {
    folder: target.folder,
    rename: { from: source.archivedAs ?? splitEntry(source.path).base, to: target.base },
  };
}

/** An entry's name with its first part changed as planned. */
export function renamed(name: string, { rename }: CopyPlan): string {
  if (!rename) return name;
  const from = rename.from === "/" ? "" : rename.from;
  return name.startsWith(from) ? rename.to + name.slice(from.length) : name;
}
