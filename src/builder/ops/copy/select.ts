import { HavreError } from "../../../base/mod.ts";
import { pathMatcher } from "../../../images/mod.ts";
import { type ByteName, fromBytes, shown } from "../../../snapshots/mod.ts";
import { cleanPath, resolvePath, walk } from "../files/paths.ts";
import type { FileSource, SourceFile } from "../files/source.ts";

/** A path that a source of `COPY` came to. */
export interface Selected {
  /** As asked, pattern put in: what it is called at its destination. */
  readonly asked: ByteName;
  /** The file itself, links on the way and at its end followed. */
  readonly file: SourceFile;
}

/** A source of a copy that is not there; the message is BuildKit's. */
export class SourceMissing extends HavreError {
  /** As it was asked for. */
  readonly path: string;

  constructor(path: string) {
    const name = path.startsWith("/") ? path : `/${path}`;
    super("not-found", `failed to calculate checksum: ${JSON.stringify(name)}: not found`, {
      hint: "See whether the path is right, and whether .dockerignore leaves it out",
    });
    this.path = path;
  }
}

const WILD = /[*?[]/;

/**
 * The files that a path or pattern of `COPY` names in a source. A pattern that fits a folder takes the folder, not what
 * is in it besides. Docker's text and `not-found` when there is none.
 */
export function select(source: FileSource, text: string): readonly Selected[] {
  const path = cleanPath(fromBytes(Buffer.from(text)));
  const parts = path.split("/");
  const wild = parts.findIndex((part) => isWild(part));
  if (wild < 0) return [{ asked: unescaped(path), file: follow(source, unescaped(path), text) }];
  const base = resolvePath(source, unescaped(parts.slice(0, wild).join("/")));
  const top = source.stat(base);
  const matches = top?.type === "directory" ? match(source, top, parts.slice(wild).join("/")) : [];
  if (matches.length === 0) throw new SourceMissing(shown(path));
  return matches.map((file) => ({ asked: file.path, file: follow(source, file.path, text) }));
}

function follow(source: FileSource, path: ByteName, subject: string): SourceFile {
  const file = source.stat(resolvePath(source, path));
  if (file) return file;
  throw new SourceMissing(subject);
}

function match(source: FileSource, top: SourceFile, pattern: string): readonly SourceFile[] {
  const fits = pathMatcher(pattern);
  const depth = pattern.split("/").length;
  const found: SourceFile[] = [];
  const relative = (file: SourceFile) => (top.path === "" ? file.path : file.path.slice(top.path.length + 1));
  for (const file of walk(source, top, (folder) => folder === top || relative(folder).split("/").length < depth)) {
    if (file !== top && fits(relative(file))) found.push(file);
  }
  return found;
}

/** Whether a part of a path is a pattern; a backslash takes the next character as it is. */
function isWild(part: string): boolean {
  return WILD.test(part.replaceAll(/\\./g, ""));
}

function unescaped(path: ByteName): ByteName {
  return path.replaceAll(/\\(.)/g, "$1");
}
