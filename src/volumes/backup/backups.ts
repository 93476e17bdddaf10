import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { isAbsolute } from "node:path";
import { Batch, errnoOf, HavreError, KeyedMutex, toHavreError } from "../../base/mod.ts";
import type { VolumeArchive, VolumeArchives } from "../archives.ts";
import { cutByContent } from "./chunker.ts";
import { named, readBackupFile, writeBackupFile } from "./file.ts";
import { readMarked, withMarks } from "./marks.ts";
import type { BackupNote } from "./note.ts";
import { type Damaged, type Manifest, Repository } from "./repository.ts";
import { expired, type Retention } from "./retention.ts";
import type { Lock, Opener } from "./sealing.ts";

export interface BackupRequest {
  readonly volume: string;
  /** Absolute: a folder of backups that exists, or the file to write. */
  readonly target: string;
  readonly pause: boolean;
  /** A file that is there is replaced. */
  readonly force?: boolean;
  readonly lock?: Lock;
}

export interface BackupReport {
  readonly id: string;
  readonly volume: string;
  readonly taken: number;
  /** Bytes of the archive. */
  readonly size: number;
  /** Bytes it took in its file or folder. */
  readonly stored: number;
}

export interface RestoreRequest {
  /** The file or folder. */
  readonly source: string;
  /** "": the one it was taken of. */
  readonly volume: string;
  /** In a folder: which; undefined: the newest, of `of` if that is given. */
  readonly backup?: string;
  readonly force: boolean;
  readonly opener: Opener;
}

export interface ListedBackup extends BackupReport {
  readonly paused: boolean;
  /** Why nothing else is known of it. */
  readonly problem?: string;
}

export interface Verified {
  readonly id: string;
  readonly volume: string;
  readonly size: number;
  /** undefined: it is whole. */
  readonly problem?: string;
}

/** Chunks that are compressed and written at once. */
const AT_ONCE = 4;

/** Backups of volumes, in files that stand alone or in folders that share what is the same. */
export class VolumeBackups {
  readonly #archives: VolumeArchives;
  /** One at a time in each folder; others of this program wait. */
  readonly #folders = new KeyedMutex();

  constructor(archives: VolumeArchives) {
    this.#archives = archives;
  }

  async backup(request: BackupRequest, signal?: AbortSignal): Promise<BackupReport> {
    const { target } = request;
    if (await isFolder(target)) return this.#folders.run(target, () => this.#intoFolder(request, signal));
    if (request.force !== true && existsSync(target))
      throw new HavreError("already-exists", `${target} exists already`, {
        hint: "Add --force to replace it; into a folder go as many backups as you like",
      });
    await using archive = await this.#archives.read(request.volume, request, signal);
    const { note, tar } = archive;
    let size = 0;
    const counted = counting(tar, (bytes) => {
      size += bytes.length;
    });
    const stored = await writeBackupFile(target, withMarks(note, counted), request.lock);
    return { id: idOf(note), volume: note.volume, taken: note.taken, size, stored };
  }

  async restore(request: RestoreRequest, signal?: AbortSignal): Promise<BackupReport> {
    const { source, force, opener } = request;
    if (!(await isFolder(source))) {
      await using file = await openBackupFile(source, opener);
      const { note, tar } = file;
      const name = request.volume || note.volume;
      await this.#archives.write(name, { note, tar }, { force }, signal);
      return { id: idOf(note), volume: name, taken: note.taken, size: 0, stored: 0 };
    }
    const repository = await Repository.open(source);
    const manifest = choose(await repository.readable(), request);
    const name = request.volume || manifest.note.volume;
    const tar = contentOf(manifest, repository.reader(opener));
    await this.#archives.write(name, { note: manifest.note, tar }, { force }, signal);
    return { ...report(manifest), volume: name };
  }

  /** The oldest first. Of a file the one that it is. */
  async list(source: string, opener: Opener): Promise<readonly ListedBackup[]> {
    if (await isFolder(source)) {
      const { manifests, damaged } = await (await Repository.open(source)).readable();
      return [
        ...manifests.map((manifest) => ({ ...report(manifest), paused: manifest.note.paused })),
        ...damaged.map(unreadable),
      ];
    }
    await using file = await openBackupFile(source, opener);
    const { note } = file;
    const stored = (await stat(source)).size;
    return [{ id: idOf(note), volume: note.volume, taken: note.taken, size: 0, stored, paused: note.paused }];
  }

  /** Reads everything and compares it with its digests. Damage is reported, a key that does not fit is thrown. */
  async verify(source: string, opener: Opener): Promise<readonly Verified[]> {
    if (await isFolder(source)) return this.#verifyFolder(await Repository.open(source), opener);
    await using file = await openBackupFile(source, opener);
    const { note, tar } = file;
    let size = 0;
    const problem = await problemIn(async () => {
      for await (const bytes of tar) size += bytes.length;
    });
    return [{ id: idOf(note), volume: note.volume, size, ...problem }];
  }

  /** `invalid-argument` unless it is a folder that is there: what is backed up again and again needs one. */
  async requireFolder(path: string): Promise<void> {
    if (!(await isFolder(path))) throw new HavreError("invalid-argument", `${path} is no folder that is there`);
  }

  /** Removes what a retention does not keep of a volume's backups in a folder, and what nobody needs then. */
  async expire(folder: string, volume: string, retention: Retention): Promise<readonly string[]> {
    return this.#folders.run(folder, async () => {
      const repository = await Repository.open(folder);
      using _alone = repository.lock();
      const own = (await repository.manifests()).filter(({ note }) => note.volume === volume);
      const ids = expired(own, retention);
      if (ids.length > 0) await repository.forget(ids);
      return ids;
    });
  }

  async #intoFolder({ volume, target, pause, lock }: BackupRequest, signal?: AbortSignal): Promise<BackupReport> {
    const repository = await Repository.openOrMake(target, lock);
    using _alone = repository.lock();
    const key = await repository.key(lock);
    await using archive = await this.#archives.read(volume, { pause }, signal);
    const hash = createHash("sha256");
    let [size, added] = [0, 0];
    const tar = counting(archive.tar, (bytes) => {
      hash.update(bytes);
      size += bytes.length;
    });
    await using stored = new Batch<string>(AT_ONCE);
    for await (const content of cutByContent(tar)) {
      await stored.add(async () => {
        const { id, added: more } = await repository.put(content, key);
        added += more;
        return id;
      });
    }
    const { note } = archive;
    const chunks = await stored.results();
    const manifest = { id: idOf(note), note, size, sha256: hash.digest("hex"), chunks, added };
    await repository.addManifest(manifest);
    return report(manifest);
  }

  async #verifyFolder(repository: Repository, opener: Opener): Promise<readonly Verified[]> {
    const read = repository.reader(opener);
    const verified: Verified[] = [];
    const { manifests, damaged } = await repository.readable();
    for (const manifest of manifests) {
      const problem = await problemIn(async () => {
        for await (const _ of contentOf(manifest, read));
      });
      verified.push({ id: manifest.id, volume: manifest.note.volume, size: manifest.size, ...problem });
    }
    return [...verified, ...damaged.map(unreadable)];
  }
}

/** A backup in a file, which is closed when disposed, however much of it was read. */
async function openBackupFile(
  path: string,
  opener: Opener,
): Promise<Pick<VolumeArchive, "note" | "tar"> & AsyncDisposable> {
  const bytes = readBackupFile(path, opener);
  const close = async () => void (await bytes.return(undefined));
  try {
    return { ...(await readMarked(bytes, path)), [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `data-loss` at the end when it is not what was backed up. */
async function* contentOf(
  { id, chunks, sha256 }: Manifest,
  read: (chunk: string) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let next = chunks[0] === undefined ? undefined : read(chunks[0]);
  try {
    for (let at = 1; next; at++) {
      const content = await next;
      const following = chunks[at];
      next = following === undefined ? undefined : read(following);
      next?.catch(() => {});
      hash.update(content);
      yield content;
    }
  } finally {
    await next?.catch(() => {});
  }
  if (hash.digest("hex") !== sha256) throw new HavreError("data-loss", `Backup ${id} is damaged`);
}

function choose(
  { manifests, damaged }: Awaited<ReturnType<Repository["readable"]>>,
  { backup, volume, source }: RestoreRequest,
): Manifest {
  if (backup !== undefined) {
    const found = manifests.find(({ id }) => id === backup);
    if (found) return found;
    throw (
      damaged.find(({ id }) => id === backup)?.error ?? new HavreError("not-found", `No backup ${backup} in ${source}`)
    );
  }
  const [unknown] = damaged;
  if (unknown)
    throw new HavreError("data-loss", `${unknown.error.message}, so that it is not known which is the newest`, {
      cause: unknown.error,
      hint: "Name the one to restore with --backup: havre volume backups shows them",
    });
  const own = manifests.filter(({ note }) => note.volume === volume);
  const volumes = new Set(manifests.map(({ note }) => note.volume));
  const newest = own.at(-1) ?? (volumes.size === 1 ? manifests.at(-1) : undefined);
  if (newest) return newest;
  throw new HavreError("not-found", `${source} has no backup of ${volume || "a single volume"}`, {
    hint: "Name the one to restore: havre volume backups shows them",
  });
}

async function problemIn(work: () => Promise<void>): Promise<{ readonly problem?: string }> {
  try {
    await work();
    return {};
  } catch (error) {
    const known = toHavreError(error);
    if (known.kind !== "data-loss") throw known;
    return { problem: known.message };
  }
}

async function* counting(
  source: AsyncIterable<Uint8Array>,
  count: (bytes: Uint8Array) => void,
): AsyncGenerator<Uint8Array> {
  for await (const bytes of source) {
    count(bytes);
    yield bytes;
  }
}

function unreadable({ id, error }: Damaged): ListedBackup {
  return { id, volume: "", taken: 0, size: 0, stored: 0, paused: false, problem: error.message };
}

function report({ id, note, size, added }: Manifest): BackupReport {
  return { id, volume: note.volume, taken: note.taken, size, stored: added };
}

/** `data-20260102T030405678Z`: a name of a file, whatever a plug-in calls its volumes. */
function idOf({ volume, taken }: BackupNote): string {
  return `${volume.replace(/[^\w.-]/g, "_")}-${new Date(taken).toISOString().replace(/[-:.]/g, "")}`;
}

async function isFolder(path: string): Promise<boolean> {
  if (!isAbsolute(path)) throw new HavreError("invalid-argument", `${path} is not an absolute path`);
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw named(error, path);
    if (path.endsWith("/")) throw named(error, path);
    return false;
  }
}
