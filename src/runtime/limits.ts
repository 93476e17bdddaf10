import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError } from "../base/mod.ts";
import { isProcessAlive } from "../kernel/mod.ts";
import { encodeForRuntime, type RuntimeResources } from "../spec/mod.ts";
import type { OwnCgroups } from "./own-cgroups.ts";
import type { ContainerRecords } from "./records.ts";

/** Runs a runtime's subcommand to its end; fails with the runtime's words. */
type Command = (runtime: string, operation: string, args: readonly string[]) => Promise<void>;

/** The kernel's own bound on process ids: as good as no limit, and every runtime can write it. */
const ALL_PIDS = 4_194_304;

/** Limits and standstill of running containers: by Havre where the cgroup is its own, else by the runtime. */
export class Limits {
  readonly #own: OwnCgroups;
  readonly #records: ContainerRecords;
  readonly #command: Command;

  constructor(own: OwnCgroups, records: ContainerRecords, command: Command) {
    this.#own = own;
    this.#records = records;
    this.#command = command;
  }

  async pause(id: string, runtime: string): Promise<void> {
    const record = this.#records.get(id);
    const own = this.#own.pathOf(record);
    if (own !== undefined) return this.#own.freeze(own);
    await this.#command(runtime, "pause", ["pause", id]);
    if (record?.cgroupsPath === undefined || (await this.#own.standsStill(record.cgroupsPath))) return;
    await this.#command(runtime, "resume", ["resume", id]);
    throw new HavreError("deadline-exceeded", "A process of the container cannot be paused now");
  }

  async resume(id: string, runtime: string): Promise<void> {
    const record = this.#records.get(id);
    const own = this.#own.pathOf(record);
    if (own !== undefined) return this.#own.thaw(own);
    try {
      await this.#command(runtime, "resume", ["resume", id]);
    } catch (error) {
      // Version 2's freezer lets a killed process die: it may be gone before it is let go.
      if (record?.processes === undefined || isProcessAlive(record.processes.init)) throw error;
      throw new HavreError("not-found", `Container ${id} has no process`, { cause: error });
    }
  }

  /** No limit of processes is 0. `folder`: where the runtime may be handed a file when the container has no bundle on record. */
  async update(id: string, runtime: string, resources: RuntimeResources, folder: string): Promise<void> {
    const record = this.#records.get(id);
    const own = this.#own.pathOf(record);
    if (own !== undefined) return this.#own.update(own, resources);
    const { pids, ...others } = resources;
    const change = pids && pids.limit <= 0 ? { ...others, pids: { limit: ALL_PIDS } } : resources;
    // By a file: a runtime reads its standard input through /dev/stdin, which a bare system lacks.
    const file = join(record?.bundle ?? folder, `update-${id}.json`);
    writeFileSync(file, encodeForRuntime(change), { mode: 0o600 });
    try {
      await this.#command(runtime, "update", ["update", "-r", file, id]);
    } finally {
      rmSync(file, { force: true });
    }
  }
}
