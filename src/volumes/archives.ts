import { type Clock, HavreError, runAll } from "../base/mod.ts";
import type { CopiedTree, Trees } from "../snapshots/mod.ts";
import { readMarked, withMarks } from "./backup/marks.ts";
import type { BackupNote } from "./backup/note.ts";
import { isEmptyFolder } from "./folder.ts";
import type { LocalDriver } from "./local/local-driver.ts";
import { LOCAL, type VolumeRecords } from "./records.ts";
import { ANONYMOUS_LABEL, findVolume, type Volume, volumeKind } from "./volume.ts";

type Pairs = Readonly<Record<string, string>>;

/** Mark of a volume that was made from another. */
export const SNAPSHOT_LABEL = "havre.volume.snapshot-of";
export const CLONE_LABEL = "havre.volume.clone-of";

/** Lets the containers that have a volume stand still until disposed. */
export interface VolumePauser {
  pause(volume: string): Promise<AsyncDisposable>;
}

export interface ReadOptions {
  /** The containers that have it stand still: as long as it takes, or only for a moment where content can be shared. */
  readonly pause: boolean;
}

/** A volume as an archive, which is valid until disposed. */
export interface VolumeArchive extends AsyncDisposable {
  readonly note: BackupNote;
  readonly tar: AsyncIterable<Uint8Array>;
}

export interface VolumeArchivesOptions {
  readonly records: VolumeRecords;
  readonly local: LocalDriver;
  readonly trees: Trees;
  readonly pauser: VolumePauser;
  readonly clock: Clock;
  readonly newId: () => string;
}

/** How a volume came to be like another; `snapshot`: at once, by the file system, which did not count its files. */
export interface ClonedVolume extends CopiedTree {
  readonly snapshot: boolean;
}

/** Whole volumes read, written and copied: what backup, restore, snapshot, clone and copy are made of. */
export class VolumeArchives {
  readonly #records: VolumeRecords;
  readonly #local: LocalDriver;
  readonly #trees: Trees;
  readonly #pauser: VolumePauser;
  readonly #clock: Clock;
  readonly #newId: () => string;

  constructor({ records, local, trees, pauser, clock, newId }: VolumeArchivesOptions) {
    this.#records = records;
    this.#local = local;
    this.#trees = trees;
    this.#pauser = pauser;
    this.#clock = clock;
    this.#newId = newId;
  }

  /** An archive as one stream that tells its end: for a way over which it may be cut short. */
  marked({ note, tar }: Pick<VolumeArchive, "note" | "tar">): AsyncIterable<Uint8Array> {
    return withMarks(note, tar);
  }

  /** The reverse. `invalid-argument` for what is none; a short one fails (`data-loss`) at its end. */
  unmarked(stream: AsyncIterable<Uint8Array>): Promise<Pick<VolumeArchive, "note" | "tar">> {
    return readMarked(stream);
  }

  /** `not-found`. */
  async read(name: string, { pause }: ReadOptions, signal?: AbortSignal): Promise<VolumeArchive> {
    const source = await this.#hold(name);
    try {
      const { volume } = source;
      const note: BackupNote = {
        format: 1,
        volume: name,
        labels: volume.labels,
        taken: this.#clock.now(),
        paused: pause,
      };
      const still = pause ? await this.#pauser.pause(name) : undefined;
      if (still === undefined || !this.#local.sharesContent()) {
        return archiveOf(note, this.#trees.pack(source.path, signal), [
          () => still?.[Symbol.asyncDispose](),
          () => source[Symbol.asyncDispose](),
        ]);
      }
      // They stand still only while the files are given a second name; what is read then changes no more.
      const staged = this.#local.stage();
      try {
        await using _pause = still;
        await this.#copy(source.path, staged, signal);
      } catch (error) {
        this.#local.discard(staged);
        throw error;
      }
      return archiveOf(note, this.#trees.pack(staged, signal), [
        () => this.#local.discard(staged),
        () => source[Symbol.asyncDispose](),
      ]);
    } catch (error) {
      await source[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * Makes `name` the volume in the archive: a new one, or one that is empty, or with `force` instead of what is in it. The
   * volume changes in one step when all has come and is on disk. `conflict` when it is not empty, or a container that runs
   * has it.
   */
  async write(
    name: string,
    { note, tar }: Pick<VolumeArchive, "note" | "tar">,
    { force }: { readonly force: boolean },
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#records.locks.run(name, async () => this.#requireWritable(name, force));
    const staged = this.#local.stage();
    try {
      await this.#trees.unpack(staged, tar, signal);
      await this.#trees.sync(staged);
      await this.#put(name, staged, { labels: withoutAnonymous(note.labels) }, force);
    } catch (error) {
      this.#local.discard(staged);
      throw error;
    }
  }

  /** Makes a new volume with the same content; `frozen`: a snapshot, that containers may only read. `already-exists`. */
  async clone(
    name: string,
    target: string,
    { pause, frozen }: ReadOptions & { readonly frozen: boolean },
    signal?: AbortSignal,
  ): Promise<ClonedVolume> {
    if (this.#records.store.view((tx) => findVolume(tx, target)))
      throw new HavreError("already-exists", `Volume ${target} exists already`);
    await using source = await this.#hold(name);
    const staged = this.#local.stage();
    try {
      const copied = await this.#copyStill(name, source.path, staged, pause, signal);
      // A snapshot is on disk when it is made.
      if (!copied.snapshot) await this.#trees.sync(staged);
      const label = frozen ? SNAPSHOT_LABEL : CLONE_LABEL;
      const labels = { ...withoutAnonymous(source.volume.labels), [label]: name };
      await this.#put(target, staged, { labels, ...(frozen ? { frozen } : {}) }, false);
      return copied;
    } catch (error) {
      this.#local.discard(staged);
      throw error;
    }
  }

  async #copyStill(
    name: string,
    path: string,
    staged: string,
    pause: boolean,
    signal: AbortSignal | undefined,
  ): Promise<ClonedVolume> {
    await using _pause = pause ? await this.#pauser.pause(name) : undefined;
    return await this.#copy(path, staged, signal);
  }

  async #copy(path: string, staged: string, signal: AbortSignal | undefined): Promise<ClonedVolume> {
    if (this.#local.snapshot(path, staged)) return { shared: 0, copied: 0, bytes: 0, snapshot: true };
    return { ...(await this.#trees.copy(path, staged, signal)), snapshot: false };
  }

  /** The volume mounted, and safe from removal, until disposed. */
  async #hold(name: string): Promise<AsyncDisposable & { readonly volume: Volume; readonly path: string }> {
    const holder = `backup-${this.#newId()}`;
    const records = this.#records;
    return records.locks.run(name, async () => {
      const volume = records.require(name);
      const driver = await records.drivers.get(volume.driver);
      const path = await driver.mount(name, holder);
      records.hold(name, holder);
      return {
        volume,
        path,
        [Symbol.asyncDispose]: async () => {
          records.release(name, holder);
          await records.locks.run(name, () => driver.unmount(name, holder));
        },
      };
    });
  }

  #requireWritable(name: string, force: boolean): void {
    const volume = this.#records.store.view((tx) => findVolume(tx, name));
    if (!volume) return;
    if (volume.driver !== LOCAL || Object.keys(volume.options ?? {}).length > 0)
      throw new HavreError("failed-precondition", `Volume ${name} is kept elsewhere: only local ones can be restored`, {
        hint: "Restore into a volume of another name, and copy from there",
      });
    if (!this.#local.isFree(name))
      throw new HavreError("conflict", `Volume ${name} is mounted in a container that runs`, {
        hint: "Stop its containers first",
      });
    if (!force && !isEmptyFolder(this.#local.path(name)))
      throw new HavreError("conflict", `Volume ${name} is not empty`, { hint: "Add --force to replace what is in it" });
  }

  /** Puts the staged tree in the volume's place, making the volume if there is none. */
  async #put(name: string, staged: string, made: Pick<Volume, "labels" | "frozen">, force: boolean): Promise<void> {
    await this.#records.locks.run(name, async () => {
      this.#requireWritable(name, force);
      const known = this.#records.store.view((tx) => findVolume(tx, name));
      const volume = known ?? (await this.#records.draft({ name, driver: LOCAL, options: null, labels: made.labels }));
      if (isEmptyFolder(this.#local.path(name))) this.#local.fill(name, staged);
      else this.#local.replace(name, staged);
      if (known) return;
      await this.#records.store.update((tx) => tx.put(volumeKind, { ...volume, ...made }));
      this.#records.emit({ action: "create", name, attributes: { driver: LOCAL } });
    });
  }
}

/** What is under it is let go of once nobody reads it any more, one after the other, whatever fails. */
function archiveOf(
  note: BackupNote,
  tar: AsyncGenerator<Uint8Array>,
  letGo: Parameters<typeof runAll>[0],
): VolumeArchive {
  const ended = async () => void (await tar.return(undefined));
  return { note, tar, [Symbol.asyncDispose]: () => runAll([ended, ...letGo]) };
}

function withoutAnonymous(labels: Pairs | null): Pairs | null {
  if (labels === null) return null;
  const { [ANONYMOUS_LABEL]: _mark, ...rest } = labels;
  return rest;
}
