import { join } from "node:path";
import { HavreError, isHavreError, toHavreError } from "../base/mod.ts";
import { closeFd, isDirectory, statFd } from "../kernel/mod.ts";
import type { Trees } from "../snapshots/mod.ts";
import type { WriteTransaction } from "../store/mod.ts";
import type { Drivers } from "./drivers.ts";
import { isEmptyFolder } from "./folder.ts";
import type { LocalDriver } from "./local/local-driver.ts";
import { openPart, type Parts } from "./parts.ts";
import { LOCAL, type VolumeRecords } from "./records.ts";
import { described } from "./saying.ts";
import { findVolume, stranger, type Volume, volumeKind } from "./volume.ts";
import type { ContainerVolumes, HeldVolumes, VolumeWish } from "./volumes.ts";

export interface MountedVolumesOptions {
  readonly records: VolumeRecords;
  readonly drivers: Drivers;
  readonly local: LocalDriver;
  readonly parts: Parts;
  readonly trees: Trees;
}

/** Volumes as containers have them: found, mounted, filled, given back. */
export class MountedVolumes implements ContainerVolumes {
  readonly #records: VolumeRecords;
  readonly #drivers: Drivers;
  readonly #local: LocalDriver;
  readonly #parts: Parts;
  readonly #trees: Trees;

  constructor({ records, drivers, local, parts, trees }: MountedVolumesOptions) {
    this.#records = records;
    this.#drivers = drivers;
    this.#local = local;
    this.#parts = parts;
    this.#trees = trees;
  }

  async ensure(wishes: readonly VolumeWish[], holder: string): Promise<HeldVolumes> {
    const found = new Map<string, { readonly driver: string; readonly path: string; readonly frozen: boolean }>();
    const drafts: Volume[] = [];
    const release = () => {
      for (const { name } of wishes) this.#records.release(name, holder);
      for (const volume of drafts.splice(0)) {
        const recorded = this.#records.store.view((tx) => tx.get(volumeKind, volume.id)) !== undefined;
        if (recorded) this.#records.emit({ action: "create", name: volume.id, attributes: { driver: volume.driver } });
        else this.#abandon(volume);
      }
    };
    try {
      for (const wish of wishes) {
        this.#records.hold(wish.name, holder);
        // Another container's anonymous volume may be shared: then it is there.
        const fresh = wish.anonymous && this.#records.store.view((tx) => findVolume(tx, wish.name)) === undefined;
        const volume = fresh ? await this.#records.draft(wish) : await this.#records.findOrMakeLocked(wish);
        if (fresh) drafts.push(volume);
        const driver = await this.#records.drivers.get(volume.driver);
        const path = (await driver.get(volume.id))?.path ?? "";
        found.set(volume.id, { driver: driver.name, path, frozen: volume.frozen === true });
      }
    } catch (error) {
      release();
      throw error;
    }
    return {
      found,
      admit: (tx) => {
        for (const volume of drafts) tx.put(volumeKind, volume);
      },
      [Symbol.dispose]: release,
    };
  }

  async mount(name: string, holder: string): Promise<string> {
    return this.#records.locks.run(name, async () => {
      const volume = this.#records.require(name);
      const driver = await this.#records.drivers.get(volume.driver);
      return driver.mount(name, holder);
    });
  }

  async unmount(name: string, holder: string): Promise<void> {
    await this.#records.locks.run(name, async () => {
      const volume = this.#records.store.view((tx) => tx.get(volumeKind, name));
      if (volume) await (await this.#records.drivers.get(volume.driver)).unmount(name, holder);
    });
  }

  showPart(path: string, subpath: string, holder: string): string {
    return this.#parts.show(path, subpath, holder);
  }

  hideParts(holder: string): void {
    this.#parts.hide(holder);
  }

  async populate(name: string, holder: string, source: string, subpath?: string): Promise<void> {
    await this.#records.locks.run(name, async () => {
      const volume = this.#records.require(name);
      if (volume.frozen) return;
      if (subpath === undefined && volume.driver === LOCAL && this.#local.isFree(name)) return this.#fill(name, source);
      const driver = await this.#records.drivers.get(volume.driver);
      const path = await driver.mount(name, holder);
      try {
        await copyIntoEmpty(this.#trees, source, path, subpath);
      } finally {
        await driver.unmount(name, holder);
      }
    });
  }

  markRemoved(tx: WriteTransaction, names: readonly string[]): void {
    for (const name of names) {
      const volume = findVolume(tx, name);
      if (volume && this.#records.usersIn(tx, name).length === 0) tx.put(volumeKind, { ...volume, removing: true });
    }
  }

  async finishRemovals(): Promise<void> {
    for (const { id, removing } of this.#records.store.view((tx) => tx.list(volumeKind))) {
      if (removing !== true) continue;
      await this.#records.locks.run(id, async () => {
        const volume = this.#records.store.view((tx) => tx.get(volumeKind, id));
        if (volume?.removing !== true) return;
        try {
          await this.#records.finishRemoval(volume, false);
        } catch (error) {
          this.#records.log.warn("a volume could not be removed", { volume: id, error: toHavreError(error) });
        }
      });
    }
  }

  adopt(held: ReadonlyMap<string, readonly string[]>): void {
    this.#drivers.adopt(held);
  }

  async recover(held: ReadonlyMap<string, readonly string[]>): Promise<void> {
    this.#trees.recover();
    this.#local.recover(held);
    this.#parts.recover();
    await this.finishRemovals();
    const known = new Set(this.#records.store.view((tx) => tx.list(volumeKind)).map(({ id }) => id));
    for (const { name, created } of await this.#local.list()) {
      // Never recorded and nothing in it: a creation that was cut off. Otherwise somebody's data, kept under its name.
      if (known.has(name) || this.#local.forgetEmpty(name)) continue;
      this.#records.log.warn("took up a volume that was not on record", { volume: name });
      const found: Volume = { ...stranger(name, LOCAL), created: created ?? 0 };
      await this.#records.store.update((tx) => tx.put(volumeKind, found));
    }
    for (const { id, driver, options } of this.#records.store.view((tx) => tx.list(volumeKind)))
      if (driver === LOCAL) await this.#local.create(id, options ?? {});
  }

  /** Removes what was made for a container that came to nothing. */
  #abandon({ id, driver }: Volume): void {
    const remove = async () => (await this.#records.drivers.get(driver)).remove(id);
    remove().catch((error) =>
      this.#records.log.warn("a volume was left over", { volume: id, error: toHavreError(error) }),
    );
  }

  async #fill(name: string, source: string): Promise<void> {
    if (!isEmptyFolder(this.#local.path(name))) return;
    const staged = this.#local.stage();
    try {
      await this.#trees.copy(source, staged);
      this.#local.fill(name, staged);
    } catch (error) {
      this.#local.discard(staged);
      throw error;
    }
  }
}

/** A part that is not there is not made: whoever starts the container is told. */
async function copyIntoEmpty(trees: Trees, source: string, path: string, subpath = "."): Promise<void> {
  let fd: number;
  try {
    fd = openPart(path, subpath);
  } catch (error) {
    if (isHavreError(error, "not-found")) return;
    throw described("failed to populate volume", error);
  }
  try {
    const target = `/proc/self/fd/${fd}`;
    if (!isDirectory(statFd(fd)))
      throw new HavreError("failed-precondition", `open ${join(path, subpath)}: not a directory`);
    if (isEmptyFolder(target)) await trees.copy(source, target);
  } finally {
    closeFd(fd);
  }
}
