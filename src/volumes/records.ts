import { type Clock, HavreError, KeyedMutex, type Logger, toHavreError } from "../base/mod.ts";
import type { ReadTransaction, Store } from "../store/mod.ts";
import type { VolumeDriver, VolumeDrivers } from "./driver.ts";
import { described, saying } from "./saying.ts";
import { findVolume, stranger, type Volume, volumeKind } from "./volume.ts";
import type { VolumeEvent, VolumeRequest, VolumeUsers } from "./volumes.ts";

export const LOCAL = "local";

export interface VolumeRecordsOptions {
  readonly store: Store;
  readonly drivers: VolumeDrivers;
  readonly users: VolumeUsers;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Which volumes there are: one writer of volume objects, and what keeps one from removal. */
export class VolumeRecords {
  readonly store: Store;
  readonly drivers: VolumeDrivers;
  readonly log: Logger;
  /** Serialises what is done to one volume, by name. */
  readonly locks = new KeyedMutex();
  readonly #users: VolumeUsers;
  readonly #clock: Clock;
  /** Who keeps a volume from removal beside the containers on record: one being made, a task at work. */
  readonly #holds = new Map<string, string[]>();
  readonly #listeners = new Set<(event: VolumeEvent) => void>();

  constructor({ store, drivers, users, clock, log }: VolumeRecordsOptions) {
    this.store = store;
    this.drivers = drivers;
    this.log = log;
    this.#users = users;
    this.#clock = clock;
  }

  onEvent(listener: (event: VolumeEvent) => void): void {
    this.#listeners.add(listener);
  }

  hold(name: string, holder: string): void {
    this.#holds.set(name, [...(this.#holds.get(name) ?? []), holder]);
  }

  release(name: string, holder: string): void {
    const holders = this.#holds.get(name) ?? [];
    const at = holders.indexOf(holder);
    if (at < 0) return;
    const left = holders.toSpliced(at, 1);
    if (left.length === 0) this.#holds.delete(name);
    else this.#holds.set(name, left);
  }

  usersIn(tx: ReadTransaction, name: string): readonly string[] {
    return [...new Set([...this.#users.usersIn(tx, name), ...(this.#holds.get(name) ?? [])])];
  }

  require(name: string): Volume {
    const volume = this.store.view((tx) => findVolume(tx, name));
    if (!volume) throw new HavreError("not-found", `get ${name}: no such volume`);
    return volume;
  }

  findOrMakeLocked(request: VolumeRequest): Promise<Volume> {
    return this.locks.run(request.name, () => this.findOrMake(request));
  }

  /** With the name's lock held. */
  async findOrMake(request: VolumeRequest): Promise<Volume> {
    const { name } = request;
    const existing = this.store.view((tx) => findVolume(tx, name)) ?? (await this.unknown(name));
    if (existing) return this.#agree(existing, request);
    const volume = await this.draft(request);
    await this.store.update((tx) => tx.put(volumeKind, volume));
    this.emit({ action: "create", name, attributes: { driver: volume.driver } });
    return volume;
  }

  /** The volume that is there, if it is the one asked for; put on record if only its driver knew of it. */
  async #agree(existing: Volume, { name, driver: wanted }: VolumeRequest): Promise<Volume> {
    if (wanted !== "" && wanted !== existing.driver) {
      await this.#driver(name, wanted);
      throw new HavreError("conflict", `create ${name}: conflict: volume name must be unique`);
    }
    if (this.store.view((tx) => findVolume(tx, name)) === undefined)
      await this.store.update((tx) => tx.put(volumeKind, existing));
    return existing;
  }

  /** Has the driver make the volume; it is on record only once its object is stored. */
  async draft({ name, driver: wanted, labels, options }: VolumeRequest): Promise<Volume> {
    const driver = await this.#driver(name, wanted || LOCAL);
    await saying(`create ${name}`, () => driver.create(name, options ?? {}));
    return { id: name, driver: driver.name, labels, options, created: this.#clock.now() };
  }

  #driver(name: string, driver: string): Promise<VolumeDriver> {
    return saying(`create ${name}`, () => this.drivers.get(driver));
  }

  /** A volume that a plug-in has though nobody asked this engine for it. */
  async unknown(name: string): Promise<Volume | undefined> {
    for (const driver of await this.drivers.others()) {
      try {
        if (await driver.get(name)) return stranger(name, driver.name);
      } catch (error) {
        this.log.warn("a volume plug-in did not answer", { plugin: driver.name, error: toHavreError(error) });
      }
    }
    return undefined;
  }

  /** With the name's lock held, the volume marked. What its driver refuses to remove is there again, unless forced. */
  async finishRemoval({ removing: _mark, ...volume }: Volume, force: boolean): Promise<void> {
    const { id } = volume;
    try {
      await (await this.drivers.get(volume.driver)).remove(id);
    } catch (error) {
      if (!force) {
        await this.store.update((tx) => tx.put(volumeKind, volume));
        throw described(`remove ${id}`, error);
      }
      this.log.warn("a volume's driver failed to remove it", { volume: id, error: toHavreError(error) });
    }
    await this.store.update((tx) => tx.delete(volumeKind, id));
    this.emit({ action: "destroy", name: id, attributes: { driver: volume.driver } });
  }

  emit(event: VolumeEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
