import { createHash, randomBytes } from "node:crypto";
import { closeSync, openSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { constants, zstdCompress, zstdDecompress } from "node:zlib";
import { errnoOf, HavreError, joinAll, syncFolder, toHavreError } from "../../base/mod.ts";
import { lockFile } from "../../kernel/mod.ts";
import { named } from "./file.ts";
import { type BackupNote, noteFrom } from "./note.ts";
import { ageDecrypter, ageEncrypter, type Lock, type Opener, openingFailure, seal, unseal } from "./sealing.ts";

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

const FORMAT = "havre-backups/1";
const ABOUT = "havre-backups.json";
const CHUNKS = "chunks";
const BACKUPS = "backups";
const KEYS = "keys";
const [PLAIN, SEALED] = [0, 1];
const KEY_ID = 16;

interface About {
  readonly format: typeof FORMAT;
  /** How its chunks are locked. */
  readonly locked: "no" | "passphrase" | "recipients";
  /** Goes into the names of locked chunks. */
  readonly salt: string;
}

/** One backup in a folder of backups. */
export interface Manifest {
  readonly id: string;
  readonly note: BackupNote;
  /** Bytes of the archive, and its SHA-256. */
  readonly size: number;
  readonly sha256: string;
  readonly chunks: readonly string[];
  /** Bytes that this backup added to the folder. */
  readonly added: number;
}

/** A backup whose manifest cannot be read. */
export interface Damaged {
  readonly id: string;
  readonly error: HavreError;
}

/** What seals the chunks of one run. */
interface Key {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/**
 * A folder of backups: each piece of content once, by its digest, however many backups have it. A backup is there from the
 * moment its manifest is, which comes last; what a killed run leaves is chunks that the next run finds.
 */
export class Repository {
  readonly folder: string;
  readonly #about: About;
  /** Folders of the chunks of this run: on disk before its manifest is. */
  readonly #touched = new Set<string>();

  private constructor(folder: string, about: About) {
    this.folder = folder;
    this.#about = about;
  }

  /** `not-found` when the folder is not there, `invalid-argument` when it holds something else. */
  static async open(folder: string): Promise<Repository> {
    const about = await readAbout(folder);
    if (about) return new Repository(folder, about);
    throw new HavreError("invalid-argument", `${folder} holds no backups`);
  }

  /** The same, made when the folder is empty. `conflict` when its backups are locked in another way. */
  static async openOrMake(folder: string, lock: Lock | undefined): Promise<Repository> {
    const locked = lock === undefined ? "no" : "passphrase" in lock ? "passphrase" : "recipients";
    const about = await readAbout(folder);
    if (about) {
      if (about.locked === locked) return new Repository(folder, about);
      throw new HavreError("conflict", `The backups in ${folder} are ${LOCKED[about.locked]}`, {
        hint: "Back up into another folder, or in the same way",
      });
    }
    if ((await readdir(folder)).length > 0)
      throw new HavreError("conflict", `${folder} is not empty and holds no backups`, { hint: "Give an empty folder" });
    const fresh: About = { format: FORMAT, locked, salt: randomBytes(16).toString("hex") };
    for (const name of [CHUNKS, BACKUPS, KEYS]) await mkdir(join(folder, name), { mode: 0o700, recursive: true });
    await putFile(join(folder, ABOUT), Buffer.from(`${JSON.stringify(fresh)}\n`));
    await syncFolder(folder);
    return new Repository(folder, fresh);
  }

  /** Nobody else changes the folder until disposed. `conflict` when somebody does now. */
  lock(): Disposable {
    const fd = openSync(join(this.folder, ABOUT), "r");
    try {
      if (!lockFile(fd)) throw new HavreError("conflict", `Another backup works in ${this.folder}`);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return { [Symbol.dispose]: () => closeSync(fd) };
  }

  /** What chunks of this run are sealed with; undefined: nothing. A passphrase must be the one of the backups that are there. */
  async key(lock: Lock | undefined): Promise<Key | undefined> {
    if (lock === undefined) return undefined;
    const names = await readdir(join(this.folder, KEYS));
    const [known] = names.filter((name) => name.endsWith(".age")).sort();
    // Opening a passphrase's key is slow on purpose: one for all backups. Who has only public keys cannot open any.
    if ("passphrase" in lock && known !== undefined)
      return { id: known.slice(0, -".age".length), bytes: await this.#openKey(known, lock) };
    const key = { id: randomBytes(KEY_ID).toString("hex"), bytes: randomBytes(32) };
    const wrapped = await ageEncrypter(lock).encrypt(key.bytes);
    await putFile(join(this.folder, KEYS, `${key.id}.age`), wrapped);
    this.#touched.add(join(this.folder, KEYS));
    return key;
  }

  /** Stores a chunk unless it is there. Returns its name, and the bytes it added. */
  async put(content: Uint8Array, key: Key | undefined): Promise<{ readonly id: string; readonly added: number }> {
    const id = this.#idOf(content);
    const path = this.#chunkPath(id);
    // One that is there may be of a run that was killed before its name was on disk.
    this.#touched.add(dirname(path));
    if (await isThere(path)) return { id, added: 0 };
    const packed = await compress(content, { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    const file = key
      ? Buffer.concat([Uint8Array.of(SEALED), Buffer.from(key.id, "hex"), seal(key.bytes, id, packed)])
      : Buffer.concat([Uint8Array.of(PLAIN), packed]);
    if (await mkdir(dirname(path), { recursive: true, mode: 0o700 })) this.#touched.add(join(this.folder, CHUNKS));
    await putFile(path, file);
    return { id, added: file.length };
  }

  /** Reads chunks and checks each. `data-loss` names one that is missing or damaged. */
  reader(opener: Opener): (id: string) => Promise<Uint8Array> {
    const keys = new Map<string, Promise<Uint8Array>>();
    const keyOf = (id: string): Promise<Uint8Array> => {
      const found = keys.get(id) ?? this.#openKey(`${id}.age`, opener);
      keys.set(id, found);
      return found;
    };
    return async (id) => {
      let file: Buffer;
      try {
        file = await readFile(this.#chunkPath(id));
      } catch (cause) {
        if (errnoOf(cause) !== "ENOENT") throw named(cause, this.folder);
        throw new HavreError("data-loss", `Chunk ${id} is missing`, { cause });
      }
      const [kind, body] = [file[0], file.subarray(1)];
      const packed =
        kind === SEALED
          ? unseal(await keyOf(body.subarray(0, KEY_ID).toString("hex")), id, body.subarray(KEY_ID))
          : body;
      let content: Uint8Array;
      try {
        content = await decompress(packed);
      } catch (cause) {
        throw new HavreError("data-loss", `Chunk ${id} is damaged`, { cause });
      }
      if (this.#idOf(content) !== id) throw new HavreError("data-loss", `Chunk ${id} is damaged`);
      return content;
    };
  }

  async addManifest(manifest: Manifest): Promise<void> {
    for (const folder of this.#touched) await syncFolder(folder);
    this.#touched.clear();
    await putFile(join(this.folder, BACKUPS, `${manifest.id}.json`), Buffer.from(`${JSON.stringify(manifest)}\n`));
    await syncFolder(join(this.folder, BACKUPS));
  }

  /** All backups, the oldest first. `data-loss` names one that cannot be read. */
  async manifests(): Promise<readonly Manifest[]> {
    const { manifests, damaged } = await this.readable();
    const [first] = damaged;
    if (first) throw first.error;
    return manifests;
  }

  /** Those that can be read, and what is wrong with the others. */
  async readable(): Promise<{ readonly manifests: readonly Manifest[]; readonly damaged: readonly Damaged[] }> {
    const ids = (await readdir(join(this.folder, BACKUPS)))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.slice(0, -".json".length));
    const damaged: Damaged[] = [];
    const all = await joinAll(
      ids.map((id) => async () => {
        try {
          return [await this.#manifest(id)];
        } catch (error) {
          damaged.push({ id, error: toHavreError(error) });
          return [];
        }
      }),
    );
    return { manifests: all.flat().sort((one, other) => one.note.taken - other.note.taken), damaged };
  }

  /** Removes backups, then every chunk and key that no other needs. Returns the bytes that came free. */
  async forget(ids: readonly string[]): Promise<number> {
    for (const id of ids) await rm(join(this.folder, BACKUPS, `${id}.json`), { force: true });
    const needed = new Set((await this.manifests()).flatMap(({ chunks }) => chunks));
    const keys = new Set<string>();
    let freed = 0;
    for (const prefix of await readdir(join(this.folder, CHUNKS))) {
      const folder = join(this.folder, CHUNKS, prefix);
      for (const name of await readdir(folder)) {
        const path = join(folder, name);
        if (needed.has(name)) {
          if (this.#about.locked !== "no") keys.add(`${await keyOfChunk(path)}.age`);
          continue;
        }
        freed += (await stat(path)).size;
        await rm(path);
      }
    }
    for (const name of await readdir(join(this.folder, KEYS)))
      if (!keys.has(name)) await rm(join(this.folder, KEYS, name));
    return freed;
  }

  /** Folders of backups come from elsewhere too: nothing in one may name a file outside of it. */
  async #manifest(name: string): Promise<Manifest> {
    const path = join(this.folder, BACKUPS, `${name}.json`);
    try {
      const raw = JSON.parse(await readFile(path, "utf8"));
      const { id, size, sha256, chunks, added } = raw;
      if (id !== name || typeof size !== "number" || typeof sha256 !== "string" || !isChunkList(chunks))
        throw new HavreError("data-loss", "it is incomplete");
      return { id, note: noteFrom(raw.note), size, sha256, chunks, added: Number(added) };
    } catch (cause) {
      throw new HavreError("data-loss", `Backup ${path} cannot be read`, { cause });
    }
  }

  async #openKey(name: string, opener: Opener): Promise<Uint8Array> {
    const decrypter = ageDecrypter(opener);
    try {
      return await decrypter.decrypt(await readFile(join(this.folder, KEYS, name)));
    } catch (error) {
      throw openingFailure(error);
    }
  }

  #idOf(content: Uint8Array): string {
    const hash = createHash("sha256");
    if (this.#about.locked !== "no") hash.update(this.#about.salt);
    return hash.update(content).digest("hex");
  }

  #chunkPath(id: string): string {
    return join(this.folder, CHUNKS, id.slice(0, 2), id);
  }
}

function isChunkList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((id) => typeof id === "string" && /^[0-9a-f]{64}$/.test(id));
}

/** The id of the key that a chunk is sealed with; "" of one that is not. */
async function keyOfChunk(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(1 + KEY_ID), 0, 1 + KEY_ID, 0);
    return buffer[0] === SEALED ? buffer.subarray(1, bytesRead).toString("hex") : "";
  } finally {
    await file.close();
  }
}

const LOCKED: Readonly<Record<About["locked"], string>> = {
  no: "not encrypted",
  passphrase: "encrypted with a passphrase",
  recipients: "encrypted for public keys",
};

async function readAbout(folder: string): Promise<About | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, ABOUT), "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" && (await isThere(folder))) return undefined;
    throw named(error, folder);
  }
  let about: Partial<About>;
  try {
    about = JSON.parse(text);
  } catch (cause) {
    throw new HavreError("data-loss", `${join(folder, ABOUT)} cannot be read`, { cause });
  }
  if (about.format !== FORMAT || about.locked === undefined || typeof about.salt !== "string")
    throw new HavreError("invalid-argument", `${folder} holds backups of a format that this program does not know`);
  return { format: FORMAT, locked: about.locked, salt: about.salt };
}

/** The file is there whole and on disk, or not at all; its name is on disk once its folder is synced. */
async function putFile(path: string, content: Uint8Array): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    const file = await open(beside, "wx", 0o600);
    try {
      await file.writeFile(content);
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw named(error, path);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
