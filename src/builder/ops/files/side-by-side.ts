import type { Digest } from "../../../base/mod.ts";
import { type ByteName, encodeTarHeader, fromBytes, TAR_TRAILER, tarPadding, toBytes } from "../../../snapshots/mod.ts";
import { joinPath, walk } from "./paths.ts";
import type { FileSource, SourceFile } from "./source.ts";

/** Several sources, each below a folder of its own name. */
export class SideBySide implements FileSource {
  readonly #sources: ReadonlyMap<ByteName, FileSource>;

  constructor(sources: readonly (readonly [name: string, files: FileSource])[]) {
    this.#sources = new Map(sources.map(([name, files]) => [fromBytes(Buffer.from(name)), files]));
  }

  stat(path: ByteName): SourceFile | undefined {
    if (path === "") return FOLDER;
    const { name, files, inner } = this.#at(path);
    const found = files?.stat(inner);
    if (!found) return undefined;
    const identity = found.identity === undefined ? undefined : `${name} ${found.identity}`;
    return { ...found, path: joinPath(name, found.path), identity };
  }

  list(path: ByteName): readonly ByteName[] {
    if (path === "") return [...this.#sources.keys()].sort();
    const { files, inner } = this.#at(path);
    return files?.list(inner) ?? [];
  }

  digest(file: SourceFile): Digest {
    const { files, inner } = this.#at(file.path);
    return (files as FileSource).digest({ ...file, path: inner });
  }

  read(file: SourceFile): Iterable<Uint8Array> {
    const { files, inner } = this.#at(file.path);
    return (files as FileSource).read({ ...file, path: inner });
  }

  #at(path: ByteName) {
    const slash = path.indexOf("/");
    const name = slash < 0 ? path : path.slice(0, slash);
    return { name, files: this.#sources.get(name), inner: slash < 0 ? "" : path.slice(slash + 1) };
  }
}

const FOLDER: SourceFile = {
  path: "",
  type: "directory",
  mode: 0o755,
  uid: 0,
  gid: 0,
  mtime: 0n,
  size: 0,
  linkTarget: "",
  devMajor: 0,
  devMinor: 0,
  xattrs: new Map(),
  identity: undefined,
};

/** Files as an archive. A further name of a file is a link to the first. */
export function* archiveOf(files: FileSource): Generator<Uint8Array> {
  const links = new Map<string, string>();
  const text = (name: ByteName) => Buffer.from(toBytes(name)).toString();
  for (const file of walk(files, files.stat("") ?? FOLDER)) {
    if (file.path === "") continue;
    const path = text(file.path);
    const first = file.identity === undefined ? undefined : links.get(file.identity);
    if (file.identity !== undefined && first === undefined) links.set(file.identity, path);
    const { mode, uid, gid, mtime, devMajor, devMinor, xattrs, size } = file;
    const type = first === undefined ? file.type : "hardlink";
    const linkTarget = first ?? text(file.linkTarget);
    const named = file.type === "directory" ? `${path}/` : path;
    yield encodeTarHeader({ path: named, type, mode, uid, gid, mtime, devMajor, devMinor, xattrs, size, linkTarget });
    if (type !== "file") continue;
    yield* files.read(file);
    yield tarPadding(size);
  }
  yield TAR_TRAILER;
}
