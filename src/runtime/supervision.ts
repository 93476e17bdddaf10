import type { Clock, Logger } from "../base/mod.ts";
import { type CgroupHost, isProcessAlive, isSameProcess, signalProcess } from "../kernel/mod.ts";
import type { ExitRecords } from "./exits.ts";
import { watchLiveness } from "./liveness.ts";
import type { ContainerRecord, ContainerRecords } from "./records.ts";
import { killCgroup } from "./removal.ts";
import type { ProcessIdentity } from "./runtime.ts";
import { until } from "./waiting.ts";

const SIGKILL = 9;
const KILLED = 128 + SIGKILL;

/** Sees to it that every container whose supervisor ends has an exit on record, however that end came. */
export class Supervision implements Disposable {
  readonly #records: ContainerRecords;
  readonly #exits: ExitRecords;
  readonly #cgroups: CgroupHost;
  readonly #clock: Clock;
  readonly #logger: Logger;
  /** By container: its supervisor's end. */
  readonly #supervisors = new Map<string, Promise<void>>();
  /** Watches of supervisors that an earlier daemon started. */
  readonly #adopted = new Set<Disposable>();

  constructor(records: ContainerRecords, exits: ExitRecords, cgroups: CgroupHost, clock: Clock, logger: Logger) {
    this.#records = records;
    this.#exits = exits;
    this.#cgroups = cgroups;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Follows a supervisor of this daemon's own; `ended` settles with its process. */
  follow(id: string, supervisor: ProcessIdentity, ended: Promise<void>): void {
    const done: Promise<void> = ended
      .then(() => {
        if (this.#supervisors.get(id) === done) this.#supervisors.delete(id);
        return this.#supervisorEnded(id, supervisor);
      })
      .catch((error: unknown) => this.#logger.error("Could not record a container's end", { id, error }));
    this.#supervisors.set(id, done);
  }

  /** Follows a supervisor that an earlier daemon started. */
  adopt({ id, bundle }: ContainerRecord, supervisor: ProcessIdentity): void {
    const letGo = Promise.withResolvers<void>();
    const watch = watchLiveness(bundle, () => {
      this.#adopted.delete(watch);
      letGo.resolve();
    });
    this.#adopted.add(watch);
    // conmon lets go of the pipe just before it records the exit: its end is near.
    const recorded = () => !isProcessAlive(supervisor) || this.#exits.isRecorded(id);
    this.follow(
      id,
      supervisor,
      letGo.promise.then(() => until(this.#clock, recorded)),
    );
  }

  /** Settles when the container's supervisor is gone; undefined when none is known. */
  ended(id: string): Promise<void> | undefined {
    return this.#supervisors.get(id);
  }

  [Symbol.dispose](): void {
    for (const watch of this.#adopted) watch[Symbol.dispose]();
    this.#adopted.clear();
  }

  /** A supervisor that ends without recording an exit was killed: its container has lost its streams and is ended too. */
  async #supervisorEnded(id: string, supervisor: ProcessIdentity): Promise<void> {
    const record = this.#records.get(id);
    const known = record?.processes?.supervisor;
    // The container may have been deleted, or created anew under a later supervisor.
    if (record === undefined || known === undefined || !isSameProcess(known, supervisor)) return;
    this.#exits.check(id);
    if (this.#exits.isRecorded(id)) return;
    this.#logger.warn("A container's supervisor ended without an exit code; ending the container", { id });
    if (record.cgroupsPath !== undefined) killCgroup(this.#cgroups, record.cgroupsPath);
    if (record.processes) {
      signalProcess(record.processes.init, SIGKILL);
      await until(this.#clock, () => !isProcessAlive(record.processes?.init ?? supervisor));
    }
    if (this.#records.get(id) === record) this.#exits.record(id, KILLED);
  }
}
