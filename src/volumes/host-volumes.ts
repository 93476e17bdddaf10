import { type Clock, HavreError, isHavreError, joinAll, type Logger, toHavreError } from "../base/mod.ts";
import type { Trees } from "../snapshots/mod.ts";
import type { Store } from "../store/mod.ts";
import { VolumeArchives, type VolumePauser } from "./archives.ts";
import { Drivers } from "./drivers.ts";
import { LocalDriver } from "./local/local-driver.ts";
import { MountedVolumes } from "./mounted-volumes.ts";
import { Parts } from "./parts.ts";
import type { PluginFolders } from "./plugins/discovery.ts";
import type { PluginTimeouts } from "./plugins/plugin-driver.ts";
import { LOCAL, VolumeRecords } from "./records.ts";
import { ANONYMOUS_LABEL, findVolume, isAnonymous, stranger, type Volume, volumeKind } from "./volume.ts";
import type {
  ContainerVolumes,
  VolumeEvent,
  VolumeInfo,
  VolumePruneFilters,
  VolumeRequest,
  Volumes,
  VolumeUsage,
  VolumeUsers,
} from "./volumes.ts";

export interface HostVolumesOptions {
  readonly store: Store;
  /** `<root>/volumes`. */
  readonly folder: string;
  /** Volatile: where parts of volumes are shown, `<run>/parts`. */
  readonly parts: string;
  readonly pauser: VolumePauser;
  readonly plugins: PluginFolders;
  readonly pluginTimeouts?: PluginTimeouts;
  readonly trees: Trees;
  readonly users: VolumeUsers;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly log: Logger;
}

/** The volumes of one host. */
export class HostVolumes implements Volumes {
  /** Whole volumes, read and written. */
  readonly archives: VolumeArchives;
  /** What containers need of them. */
  readonly mounted: ContainerVolumes;
  readonly #records: VolumeRecords;
  readonly #trees: Trees;
  readonly #users: VolumeUsers;
  readonly #newId: () => string;
  readonly #local: LocalDriver;

  constructor({
    store,
    folder,
    parts,
    trees,
    users,
    clock,
    newId,
    log,
    pauser,
    plugins,
    pluginTimeouts,
  }: HostVolumesOptions) {
    this.#trees = trees;
    this.#users = users;
    this.#newId = newId;
    const optionsOf = (name: string) => store.view((tx) => tx.get(volumeKind, name)?.options ?? {});
    this.#local = new LocalDriver({ folder, trees, log, optionsOf });
    const drivers = new Drivers(this.#local, plugins, pluginTimeouts);
    this.#records = new VolumeRecords({ store, drivers, users, clock, log });
    this.archives = new VolumeArchives({
      records: this.#records,
      local: this.#local,
      trees,
      pauser,
      clock,
      newId,
    });
    this.mounted = new MountedVolumes({
      records: this.#records,
      drivers,
      local: this.#local,
      parts: new Parts(parts),
      trees,
    });
  }

  onEvent(listener: (event: VolumeEvent) => void): void {
    this.#records.onEvent(listener);
  }

  async create(request: VolumeRequest): Promise<VolumeInfo> {
    const named = request.name === "" ? anonymous(request, this.#newId()) : request;
    return this.#records.locks.run(named.name, async () => this.#info(await this.#records.findOrMake(named)));
  }

  async get(name: string): Promise<VolumeInfo> {
    const volume = this.#records.store.view((tx) => findVolume(tx, name)) ?? (await this.#records.unknown(name));
    if (!volume) throw new HavreError("not-found", `get ${name}: no such volume`);
    return this.#info(volume);
  }

  async list(): Promise<{ readonly volumes: readonly VolumeInfo[]; readonly warnings: readonly string[] }> {
    const known = this.#records.store.view((tx) => tx.list(volumeKind));
    const names = new Set(known.map(({ id }) => id));
    const warnings: string[] = [];
    const strangers: Volume[] = [];
    for (const driver of await this.#records.drivers.others()) {
      try {
        for (const { name } of await driver.list()) {
          if (!names.has(name)) strangers.push(stranger(name, driver.name));
          names.add(name);
        }
      } catch (error) {
        warnings.push(toHavreError(error).message);
      }
    }
    const shown = [...known.filter(({ removing }) => !removing), ...strangers];
    const volumes = await Promise.all(
      shown.map(async (volume) => {
        try {
          return await this.#info(volume);
        } catch (error) {
          // Its plug-in is away: what is on record is told all the same.
          warnings.push(toHavreError(error).message);
          return this.#view(volume, { mountpoint: "", scope: "local" });
        }
      }),
    );
    return { volumes: volumes.sort((one, other) => (one.name < other.name ? -1 : 1)), warnings };
  }

  async remove(name: string, force: boolean): Promise<void> {
    await this.#records.locks.run(name, async () => {
      const volume = this.#records.store.view((tx) => findVolume(tx, name)) ?? (await this.#records.unknown(name));
      if (!volume) {
        if (force) return;
        throw new HavreError("not-found", `get ${name}: no such volume`);
      }
      await this.#records.store.update((tx) => {
        const users = this.#records.usersIn(tx, name);
        if (users.length > 0)
          throw new HavreError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
        tx.put(volumeKind, { ...volume, removing: true });
      });
      await this.#records.finishRemoval(volume, force);
    });
  }

  async prune({ all, fits }: VolumePruneFilters): Promise<{ readonly removed: string[]; readonly reclaimed: number }> {
    const removed: string[] = [];
    let reclaimed = 0;
    for (const volume of this.#records.store.view((tx) => tx.list(volumeKind))) {
      if (volume.removing || volume.driver !== LOCAL) continue;
      if (!(all || isAnonymous(volume)) || !fits(volume.labels ?? {})) continue;
      if (this.#records.store.view((tx) => this.#records.usersIn(tx, volume.id)).length > 0) continue;
      try {
        const size = (await this.#sizeOf(volume)) ?? 0;
        await this.remove(volume.id, false);
        removed.push(volume.id);
        reclaimed += size;
      } catch (error) {
        // Taken or removed by somebody else meanwhile.
        if (!isHavreError(error, "conflict") && !isHavreError(error, "not-found")) throw error;
      }
    }
    this.#records.emit({ action: "prune", name: "", attributes: { reclaimed: String(reclaimed) } });
    return { removed, reclaimed };
  }

  async usage(): Promise<readonly VolumeUsage[]> {
    const volumes = this.#records.store.view((tx) => tx.list(volumeKind)).filter(({ removing }) => !removing);
    // What is elsewhere takes nothing of this host's (Docker leaves it out too).
    const local = volumes.filter(({ driver, options }) => driver === LOCAL && Object.keys(options ?? {}).length === 0);
    return joinAll(
      local.map((volume) => async () => ({ volume: await this.#info(volume), size: await this.#sizeOf(volume) })),
    );
  }

  drivers(): Promise<readonly string[]> {
    return this.#records.drivers.names();
  }

  async #sizeOf({ id, driver, options }: Volume): Promise<number | undefined> {
    if (driver !== LOCAL || Object.keys(options ?? {}).length > 0) return undefined;
    return (await this.#trees.usage(this.#local.path(id))).content;
  }

  async #info(volume: Volume): Promise<VolumeInfo> {
    const driver = await this.#records.drivers.get(volume.driver);
    const known = await driver.get(volume.id);
    if (!known) throw new HavreError("not-found", `get ${volume.id}: no such volume`);
    const status = known.status === undefined ? {} : { status: known.status };
    return { ...this.#view(volume, { mountpoint: known.path, scope: await driver.scope() }), ...status };
  }

  #view(volume: Volume, seen: Pick<VolumeInfo, "mountpoint" | "scope">): VolumeInfo {
    const { id, driver, labels, options, created } = volume;
    const users = this.#records.store.view((tx) => this.#users.usersIn(tx, id));
    return { name: id, driver, labels, options, created: created || undefined, users, ...seen };
  }
}

function anonymous(request: VolumeRequest, name: string): VolumeRequest {
  return { ...request, name, labels: { ...request.labels, [ANONYMOUS_LABEL]: "" } };
}
