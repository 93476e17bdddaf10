import { HavreError } from "../../../base/mod.ts";
import {
  type ByteName,
  encodeTarHeader,
  shown,
  TAR_TRAILER,
  type TarType,
  tarPadding,
  toBytes,
} from "../../../snapshots/mod.ts";
import { parentOf, resolvePath } from "../files/paths.ts";
import type { FileSource, SourceFile } from "../files/source.ts";
import type { OwnerIds } from "../owner.ts";
import type { ModeChange } from "./mode.ts";

/** What a destination will hold: a file of a source under another name, maybe of another owner and mode. */
interface Placed {
  /** Under its new name. */
  readonly file: SourceFile;
  readonly original: SourceFile;
  readonly source: FileSource | undefined;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: bigint;
}

export interface PlacementOptions {
  readonly owner: OwnerIds | undefined;
  readonly mode: ModeChange | undefined;
  /** Of folders that are made on the way, and with `SOURCE_DATE_EPOCH` of everything later than it. Nanoseconds since the epoch. */
  readonly now: bigint;
  readonly latest?: bigint;
}

const PARENT_MODE = 0o755;

/**
 * The changes of a copy, collected before any is made: a tree of placed files over the tree that is copied to. It ends as
 * the bytes of a layer. The rules are BuildKit's: a folder's content merges into a folder that is there, a file replaces
 * what is no folder, a folder never replaces a file.
 */
export class Placement {
  readonly #lower: Pick<FileSource, "stat">;
  readonly #options: PlacementOptions;
  readonly #placed = new Map<ByteName, Placed>();

  constructor(lower: Pick<FileSource, "stat">, options: PlacementOptions) {
    this.#lower = lower;
    this.#options = options;
  }

  /** What will be at a path. */
  stat(path: ByteName): SourceFile | undefined {
    return this.#placed.get(path)?.file ?? this.#lower.stat(path);
  }

  resolve(path: ByteName): ByteName {
    return resolvePath(this, path);
  }

  get empty(): boolean {
    return this.#placed.size === 0;
  }

  /** Makes a folder and its parents where there is none. */
  makeFolders(path: ByteName): void {
    if (path === "") return;
    const there = this.stat(path);
    if (there?.type === "directory") return;
    if (there) throw new HavreError("invalid-argument", `mkdir /${shown(path)}: not a directory`);
    this.makeFolders(parentOf(path));
    const mode = this.#options.mode?.(PARENT_MODE, true) ?? PARENT_MODE;
    const folder = { ...ORDINARY, path, type: "directory", mode, mtime: this.#options.now } as const;
    this.#put(path, folder, undefined);
  }

  /** Puts one file at a path; a folder that is there keeps its own attributes unless `overwrite`. */
  put(path: ByteName, file: SourceFile, source: FileSource, overwrite: boolean): void {
    const there = this.stat(path);
    if (file.type === "directory") {
      if (there && there.type !== "directory") {
        throw new HavreError("invalid-argument", `cannot copy to non-directory: /${shown(path)}`);
      }
      if (there && !overwrite) return;
      // The top of a tree without layers is its own: nothing is written about it.
      if (path === "" && !overwrite) return;
    } else if (there?.type === "directory") {
      throw new HavreError("invalid-argument", `cannot replace to directory /${shown(path)} with file`);
    }
    this.#put(path, file, source);
  }

  #put(path: ByteName, file: SourceFile, source: FileSource | undefined): void {
    const { owner, mode, latest } = this.#options;
    const isLink = file.type === "symlink";
    this.#placed.set(path, {
      file: { ...file, path },
      original: file,
      source,
      mode: source && mode && !isLink ? mode(file.mode, file.type === "directory") : file.mode,
      uid: owner?.uid ?? file.uid,
      gid: owner?.gid ?? file.gid,
      mtime: latest !== undefined && file.mtime > latest ? latest : file.mtime,
    });
  }

  /** The placed files as a layer, sorted by name, so that the same files make the same bytes. */
  *tar(): Generator<Uint8Array> {
    const firsts = new Map<string, ByteName>();
    for (const path of [...this.#placed.keys()].sort(byParts)) {
      const placed = this.#placed.get(path);
      if (!placed) continue;
      const { file, original, source } = placed;
      const name = path === "" ? "./" : file.type === "directory" ? `${path}/` : path;
      const header = {
        path: toBytes(name),
        mode: placed.mode,
        uid: placed.uid,
        gid: placed.gid,
        mtime: placed.mtime,
      };
      const first = file.identity === undefined ? undefined : firsts.get(file.identity);
      if (first !== undefined) {
        yield encodeTarHeader({ ...header, type: "hardlink", linkTarget: toBytes(first) });
        continue;
      }
      if (file.identity !== undefined) firsts.set(file.identity, path);
      const { size, devMajor, devMinor, xattrs } = file;
      const type: TarType = file.type;
      const linkTarget = toBytes(file.linkTarget);
      yield encodeTarHeader({ ...header, type, size, linkTarget, devMajor, devMinor, xattrs });
      if (file.type !== "file" || !source) continue;
      let written = 0;
      for (const chunk of source.read(original)) {
        written += chunk.length;
        yield chunk;
      }
      if (written !== size) throw new HavreError("data-loss", `/${shown(path)} changed while it was copied`);
      yield tarPadding(size);
    }
    yield TAR_TRAILER;
  }
}

const ORDINARY = {
  uid: 0,
  gid: 0,
  size: 0,
  linkTarget: "",
  devMajor: 0,
  devMinor: 0,
  xattrs: new Map<string, Uint8Array>(),
  identity: undefined,
} as const;

/** A folder before what is in it, siblings by the bytes of their names. */
function byParts(a: ByteName, b: ByteName): number {
  const [left, right] = [a.replaceAll("/", "\0"), b.replaceAll("/", "\0")];
  return left < right ? -1 : left > right ? 1 : 0;
}
