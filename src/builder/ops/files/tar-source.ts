import { createHash, type Hash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { type Digest, digestOf, HavreError } from "../../../base/mod.ts";
import { type ByteName, fromBytes, shown, type TarHeader, TarParser } from "../../../snapshots/mod.ts";
import { baseOf, cleanPath, parentOf } from "./paths.ts";
import type { FileSource, SourceFile } from "./source.ts";

const CHUNK = 256 * 1024;
const GATHER = 1 << 20;
const EMPTY = digestOf("");

export interface ContentEntry {
  readonly file: SourceFile;
  /** Of a regular file: where its content begins, and its digest. */
  readonly start: number;
  readonly digest: Digest;
}

/**
 * The files of an archive, read while it arrives and never unpacked: contents one after another in one file, the rest in
 * memory, each content's digest made on the way.
 */
export class TarSource implements FileSource, Disposable {
  readonly #fd: number;
  readonly #entries = new Map<ByteName, ContentEntry>();
  /** Where the contents end. */
  end = 0;
  #folders: ReadonlyMap<ByteName, readonly ByteName[]> | undefined;

  /** `fd`: an open file for the contents, taken over. */
  constructor(fd: number) {
    this.#fd = fd;
    this.#entries.set("", { file: folderAt(""), start: 0, digest: EMPTY });
  }

  /** Reads an uncompressed archive to its end. `invalid-argument` when it is malformed or a name leads out of it. `place`: a new file for the contents, or an open one that they are to follow in. */
  static async read(
    tar: AsyncIterable<Uint8Array>,
    place: string | { readonly fd: number; readonly end: number },
    signal?: AbortSignal,
    onBytes: (total: number) => void = () => {},
  ): Promise<TarSource> {
    const { fd, end } = typeof place === "string" ? { fd: openSync(place, "wx+", 0o600), end: 0 } : place;
    const source = new TarSource(fd);
    try {
      const collector = new Collector(source, end);
      const parser = new TarParser(collector);
      let total = 0;
      for await (const chunk of tar) {
        signal?.throwIfAborted();
        parser.write(chunk);
        total += chunk.length;
        onBytes(total);
      }
      parser.end();
      source.end = collector.flush();
      return source;
    } catch (error) {
      source[Symbol.dispose]();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }

  stat(path: ByteName): SourceFile | undefined {
    return this.#entries.get(path)?.file;
  }

  list(path: ByteName): readonly ByteName[] {
    this.#folders ??= this.#listFolders();
    return this.#folders.get(path) ?? [];
  }

  digest(file: SourceFile): Digest {
    return this.#entry(file).digest;
  }

  *read(file: SourceFile): Generator<Uint8Array> {
    const { start } = this.#entry(file);
    for (let done = 0; done < file.size; ) {
      const buffer = new Uint8Array(Math.min(CHUNK, file.size - done));
      const count = readSync(this.#fd, buffer, 0, buffer.length, start + done);
      // Behind the last data of a file with holes there is nothing on disk.
      if (count === 0) buffer.fill(0);
      const chunk = count === 0 ? buffer : buffer.subarray(0, count);
      done += chunk.length;
      yield chunk;
    }
  }

  /** The file that holds the contents. */
  get descriptor(): number {
    return this.#fd;
  }

  /** The regular files, and where their contents are. */
  *contents(): Generator<ContentEntry> {
    for (const entry of this.#entries.values()) if (entry.file.type === "file") yield entry;
  }

  put(entry: ContentEntry): void {
    const { path } = entry.file;
    this.#makeParents(parentOf(path));
    const before = this.#entries.get(path);
    if (before?.file.type === "directory" && entry.file.type !== "directory") this.#dropBelow(path);
    this.#entries.set(path, entry);
  }

  link(path: ByteName, target: ByteName): void {
    const original = this.#entries.get(target);
    if (!original) {
      throw new HavreError("invalid-argument", `Refused archive: ${shown(path)} is a hard link to nothing`);
    }
    const identity = original.file.identity ?? target;
    this.#entries.set(target, { ...original, file: { ...original.file, identity } });
    this.put({ ...original, file: { ...original.file, path, identity } });
  }

  writeContent(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
    }
  }

  #makeParents(path: ByteName): void {
    if (path === "" || this.#entries.get(path)?.file.type === "directory") return;
    this.#makeParents(parentOf(path));
    this.#entries.set(path, { file: folderAt(path), start: 0, digest: EMPTY });
  }

  #dropBelow(path: ByteName): void {
    for (const other of [...this.#entries.keys()]) if (other.startsWith(`${path}/`)) this.#entries.delete(other);
  }

  #entry(file: SourceFile): ContentEntry {
    const entry = this.#entries.get(file.path);
    if (!entry) throw new HavreError("not-found", `/${shown(file.path)} is not in the archive`);
    return entry;
  }

  #listFolders(): ReadonlyMap<ByteName, readonly ByteName[]> {
    const folders = new Map<ByteName, ByteName[]>();
    for (const path of this.#entries.keys()) {
      if (path === "") continue;
      const parent = parentOf(path);
      const names = folders.get(parent);
      if (names) names.push(baseOf(path));
      else folders.set(parent, [baseOf(path)]);
    }
    for (const names of folders.values()) names.sort();
    return folders;
  }
}

/** Hears what the parser finds. Contents are gathered into large writes. */
class Collector {
  readonly #source: TarSource;
  #end = 0;
  #pending: { readonly file: SourceFile; readonly start: number; readonly hash: Hash; hashed: number } | undefined;
  #buffer = Buffer.allocUnsafe(GATHER);
  #filled = 0;
  #bufferStart = 0;

  constructor(source: TarSource, end: number) {
    this.#source = source;
    this.#end = end;
  }

  entry(header: TarHeader): void {
    const path = pathIn(header.rawPath);
    if (header.type === "hardlink") {
      this.#source.link(path, pathIn(header.rawLinkTarget));
      return;
    }
    const file: SourceFile = {
      path,
      type: header.type,
      mode: header.mode,
      uid: header.uid,
      gid: header.gid,
      mtime: header.mtime,
      size: header.type === "file" ? header.size : 0,
      linkTarget: fromBytes(header.rawLinkTarget),
      devMajor: header.devMajor,
      devMinor: header.devMinor,
      xattrs: header.xattrs,
      identity: undefined,
    };
    if (header.type !== "file") this.#source.put({ file, start: 0, digest: EMPTY });
    else this.#pending = { file, start: this.#end, hash: createHash("sha256"), hashed: 0 };
  }

  data(bytes: Uint8Array, offset: number): void {
    const pending = this.#pending;
    if (!pending) return;
    hashZeros(pending.hash, offset - pending.hashed);
    pending.hash.update(bytes);
    pending.hashed = offset + bytes.length;
    this.#write(bytes, pending.start + offset);
  }

  finish(): void {
    const pending = this.#pending;
    if (!pending) return;
    this.#pending = undefined;
    const { file, start, hash, hashed } = pending;
    hashZeros(hash, file.size - hashed);
    this.#source.put({ file, start, digest: `sha256:${hash.digest("hex")}` });
    this.#end = start + file.size;
  }

  /** Returns where the contents end. */
  flush(): number {
    if (this.#filled > 0) this.#source.writeContent(this.#buffer.subarray(0, this.#filled), this.#bufferStart);
    this.#bufferStart += this.#filled;
    this.#filled = 0;
    return this.#end;
  }

  #write(bytes: Uint8Array, position: number): void {
    if (position !== this.#bufferStart + this.#filled || this.#filled + bytes.length > GATHER) this.flush();
    if (bytes.length >= GATHER) {
      this.#source.writeContent(bytes, position);
      this.#bufferStart = position + bytes.length;
      return;
    }
    if (this.#filled === 0) this.#bufferStart = position;
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }
}

const ZEROS = new Uint8Array(64 * 1024);

function hashZeros(hash: Hash, count: number): void {
  for (let left = count; left > 0; left -= ZEROS.length) hash.update(ZEROS.subarray(0, Math.min(left, ZEROS.length)));
}

function pathIn(raw: Uint8Array): ByteName {
  const text = fromBytes(raw);
  const climbs = text.split("/").reduce((depth, part) => {
    if (depth < 0 || part === "" || part === ".") return depth;
    return part === ".." ? depth - 1 : depth + 1;
  }, 0);
  if (climbs < 0) throw new HavreError("invalid-argument", `Refused archive: ${shown(text)} lies outside of it`);
  return cleanPath(text);
}

function folderAt(path: ByteName): SourceFile {
  return { ...fileAt(path, 0o755, 0n, 0), type: "directory" };
}

/** A regular file that is root's. */
export function fileAt(path: ByteName, mode: number, mtime: bigint, size: number): SourceFile {
  return {
    path,
    type: "file",
    mode,
    uid: 0,
    gid: 0,
    mtime,
    size,
    linkTarget: "",
    devMajor: 0,
    devMinor: 0,
    xattrs: new Map(),
    identity: undefined,
  };
}
