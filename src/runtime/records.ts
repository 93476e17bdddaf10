import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import type { Created, LogSpec, ProcessIdentity } from "./runtime.ts";

/** What must be known of a container to find its processes again after the daemon's end. */
export interface ContainerRecord {
  readonly id: string;
  readonly runtime: string;
  readonly bundle: string;
  readonly cgroupsPath: string | undefined;
  /** Where its tree is mounted. */
  readonly rootfs: string;
  readonly log: LogSpec;
  readonly memoryLimited: boolean;
  /** The name of the AppArmor profile that was loaded for it. */
  readonly apparmor?: string;
  /** Absent while the container is being created: what a daemon that died then has left must be undone. */
  readonly processes?: Created;
}

/** One small file per container on the volatile disk; gone with a reboot, as the processes are. */
export class ContainerRecords {
  readonly #folder: string;
  readonly #known = new Map<string, ContainerRecord>();
  /** Being removed. */
  readonly #forgotten = new Map<string, ContainerRecord | undefined>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  open(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#folder)) {
      if (name.endsWith(".new")) rmSync(join(this.#folder, name), { force: true });
      else this.get(name);
    }
  }

  put(record: ContainerRecord): void {
    const path = join(this.#folder, record.id);
    writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    this.#known.set(record.id, record);
    this.#forgotten.delete(record.id);
  }

  get(id: string): ContainerRecord | undefined {
    const known = this.#known.get(id);
    if (known || this.#forgotten.has(id)) return known;
    try {
      const record = JSON.parse(readFileSync(join(this.#folder, id), "utf8")) as ContainerRecord;
      this.#known.set(id, record);
      return record;
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  /** From here on nobody is told of it; its file stays until `delete`, should this daemon die meanwhile. */
  forget(id: string): void {
    this.#forgotten.set(id, this.#known.get(id));
    this.#known.delete(id);
  }

  /** The init process of the container's run, also of one that is being removed: its end is still told. */
  initOf(id: string): ProcessIdentity | undefined {
    return (this.get(id) ?? this.#forgotten.get(id))?.processes?.init;
  }

  delete(id: string): void {
    this.#forgotten.delete(id);
    rmSync(join(this.#folder, id), { force: true });
    this.#known.delete(id);
  }

  all(): readonly ContainerRecord[] {
    return [...this.#known.values()];
  }
}
