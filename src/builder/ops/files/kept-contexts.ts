import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Clock, type Digest, HavreError, type IdSource, KeyedMutex } from "../../../base/mod.ts";
import { type ByteName, fromBytes } from "../../../snapshots/mod.ts";
import { fileAt, TarSource } from "./tar-source.ts";

/** A regular file as a client has it: path, bytes, and whatever changes when the file does. */
export type StampedFile = readonly [path: string, size: number, stamp: string];

interface KeptFile {
  readonly path: ByteName;
  readonly size: number;
  readonly stamp: string;
  readonly mode: number;
  /** Nanoseconds since the epoch, in digits. */
  readonly mtime: string;
  readonly start: number;
  readonly digest: Digest;
}

/** A comparison whose files are about to come. */
interface Pending {
  readonly key: string;
  readonly stamps: ReadonlyMap<ByteName, StampedFile>;
  readonly same: readonly KeptFile[];
  /** Of the contents when it was compared; 0: there were none. */
  readonly inode: number;
  readonly at: number;
}

const [INDEX, DATA] = ["index.json", "data"];
/** Milliseconds that a client may take between comparing and sending. */
const PATIENCE = 600_000;
/** Milliseconds after which contents that nobody compared with go. */
const FORGOTTEN_AFTER = 30 * 24 * 3600 * 1000;
/** Contents are begun anew when as many bytes of them are of no use any more, and more than those that are. */
const WASTE = 64 << 20;

/**
 * Contexts as they were last sent, so that only what changed has to come again: `<folder>/<key>/{data,index.json}`. Contents are only ever
 * added to a file, so that who reads it is not disturbed; what a kill leaves of an addition is of no index and is overwritten.
 */
export class KeptContexts {
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #newId: IdSource;
  readonly #pending = new Map<string, Pending>();
  readonly #writing = new KeyedMutex();

  constructor(folder: string, clock: Clock, newId: IdSource) {
    this.#folder = folder;
    this.#clock = clock;
    this.#newId = newId;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Which of a client's files are here as they are. `id`: for `receive`. `key`: what the client calls the context. */
  compare(key: string, files: readonly StampedFile[]): { readonly id: string; readonly same: readonly number[] } {
    if (!/^[0-9a-f]{64}$/.test(key))
      throw new HavreError("invalid-argument", "A context's key is 64 hexadecimal digits");
    const now = this.#clock.now();
    for (const [id, { at }] of this.#pending) if (now - at > PATIENCE) this.#pending.delete(id);
    const known = this.#read(key);
    const found: KeptFile[] = [];
    const same: number[] = [];
    const stamps = new Map<ByteName, StampedFile>();
    for (const [index, file] of files.entries()) {
      const [path, size, stamp] = file;
      const name = fromBytes(Buffer.from(path));
      stamps.set(name, file);
      const kept = known?.files.get(name);
      if (kept?.size !== size || kept.stamp !== stamp) continue;
      found.push(kept);
      same.push(index);
    }
    const id = this.#newId();
    this.#pending.set(id, { key, stamps, same: found, inode: known?.inode ?? 0, at: now });
    return { id, same };
  }

  /**
   * Takes in an archive without the files that were the same, and gives all of them. `conflict` when what was compared with is gone:
   * then everything is to be sent.
   */
  receive(
    id: string,
    tar: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    onBytes?: (total: number) => void,
  ): Promise<TarSource> {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!pending) throw gone();
    return this.#writing.run(pending.key, () => this.#receive(pending, tar, signal, onBytes));
  }

  async #receive(
    { key, stamps, same, inode }: Pending,
    tar: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
    onBytes?: (total: number) => void,
  ): Promise<TarSource> {
    const folder = join(this.#folder, key);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (same.length === 0) rmSync(join(folder, DATA), { force: true });
    else if (!existsSync(join(folder, DATA))) throw gone();
    const fd = openSync(join(folder, DATA), same.length === 0 ? "wx+" : "r+", 0o600);
    if (same.length > 0 && Number(fstatSync(fd).ino) !== inode) {
      closeSync(fd);
      throw gone();
    }
    const begun = same.length === 0 ? 0 : (this.#read(key)?.size ?? fstatSync(fd).size);
    const source = await TarSource.read(tar, { fd, end: begun }, signal, onBytes);
    try {
      for (const kept of same) {
        const { path, mode, mtime, size, start, digest } = kept;
        if (source.stat(path) === undefined)
          source.put({ file: fileAt(path, mode, BigInt(mtime), size), start, digest });
      }
      this.#write(folder, source, stamps, begun);
      return source;
    } catch (error) {
      source[Symbol.dispose]();
      throw error;
    }
  }

  /** After a start, and when caches are removed: those that were not compared with since, milliseconds since the epoch. */
  forget(before = this.#clock.now() - FORGOTTEN_AFTER): void {
    for (const key of readdirSync(this.#folder)) {
      const index = statSync(join(this.#folder, key, INDEX), { throwIfNoEntry: false });
      if (!index || index.mtimeMs < before) rmSync(join(this.#folder, key), { recursive: true, force: true });
    }
  }

  #write(folder: string, source: TarSource, stamps: ReadonlyMap<ByteName, StampedFile>, begun: number): void {
    const files: KeptFile[] = [];
    for (const { file, start, digest } of source.contents()) {
      const stamp = stamps.get(file.path);
      // A file that changed while it was sent is not what its stamp says.
      if (file.identity !== undefined || stamp === undefined || stamp[1] !== file.size) continue;
      const { path, size, mode, mtime } = file;
      files.push({ path, size, stamp: stamp[2], mode, mtime: String(mtime), start, digest });
    }
    const { end } = source;
    const used = files.reduce((sum, { size }) => sum + size, 0);
    if (end - used > WASTE && end > 2 * used) {
      rmSync(folder, { recursive: true, force: true });
      return;
    }
    if (end > begun) fdatasyncSync(source.descriptor);
    writeFileSync(join(folder, `${INDEX}.new`), JSON.stringify({ size: end, files }), { mode: 0o600 });
    renameSync(join(folder, `${INDEX}.new`), join(folder, INDEX));
  }

  #read(
    key: string,
  ): { readonly files: ReadonlyMap<ByteName, KeptFile>; readonly inode: number; readonly size: number } | undefined {
    const folder = join(this.#folder, key);
    const data = statSync(join(folder, DATA), { throwIfNoEntry: false });
    try {
      const { size, files } = JSON.parse(readFileSync(join(folder, INDEX), "utf8")) as {
        readonly size: number;
        readonly files: readonly KeptFile[];
      };
      if (!data || data.size < size) return undefined;
      return { files: new Map(files.map((file) => [file.path, file])), inode: Number(data.ino), size };
    } catch {
      // None yet, or one that a power cut broke: everything is sent.
      return undefined;
    }
  }
}

function gone(): HavreError {
  return new HavreError("conflict", "The context is not kept any more: send all of it");
}
