import { join } from "node:path";
import {
  type CgroupHost,
  cgroupFolders,
  processesIn,
  readCgroupStats,
  readInterfaceCounters,
  readOomKills,
} from "../kernel/mod.ts";
import { OomWatch } from "./oom-watch.ts";
import type { ContainerRecord, ContainerRecords } from "./records.ts";
import type { CgroupStats, InterfaceCounters } from "./runtime.ts";

/** What the kernel says of running containers: processes, counters, kills for want of memory. */
export class Observation implements Disposable {
  readonly #cgroups: CgroupHost;
  readonly #records: ContainerRecords;
  /** Processes in a container's cgroups that are not the container's. */
  readonly #helpers: { has(pid: number): boolean };
  readonly #oom = new OomWatch();

  constructor(cgroups: CgroupHost, records: ContainerRecords, helpers: { has(pid: number): boolean }) {
    this.#cgroups = cgroups;
    this.#records = records;
    this.#helpers = helpers;
  }

  onOom(listener: (id: string) => void): Disposable {
    return this.#oom.onOom(listener);
  }

  /** Watches a container that has a memory limit for kills. */
  begin({ id, bundle, cgroupsPath, memoryLimited }: ContainerRecord): void {
    if (!memoryLimited) return;
    const [folder] = cgroupsPath === undefined ? [] : cgroupFolders(this.#cgroups, cgroupsPath);
    if (this.#cgroups.version === 1 || cgroupsPath === undefined || folder === undefined) {
      this.#oom.begin(id, bundle);
      return;
    }
    const kills = () => readOomKills(this.#cgroups, cgroupsPath);
    this.#oom.begin(id, bundle, { file: join(folder, "memory.events"), kills });
  }

  /** The container's processes have ended: kills that nobody had time to tell are told now. */
  settle({ id, cgroupsPath, memoryLimited }: ContainerRecord): void {
    const path = memoryLimited ? cgroupsPath : undefined;
    this.#oom.end(id, path === undefined ? 0 : readOomKills(this.#cgroups, path));
  }

  end(id: string): void {
    this.#oom.end(id, 0);
  }

  stats(id: string): CgroupStats | undefined {
    const path = this.#records.get(id)?.cgroupsPath;
    return path === undefined ? undefined : readCgroupStats(this.#cgroups, path);
  }

  processes(id: string): readonly number[] {
    const path = this.#records.get(id)?.cgroupsPath;
    return path === undefined ? [] : processesIn(this.#cgroups, path).filter((pid) => !this.#helpers.has(pid));
  }

  interfaceCounters(pid: number): Readonly<Record<string, InterfaceCounters>> {
    return readInterfaceCounters(pid);
  }

  [Symbol.dispose](): void {
    this.#oom[Symbol.dispose]();
  }
}
