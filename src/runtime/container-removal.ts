import { type Clock, isHavreError, type Logger, runAll } from "../base/mod.ts";
import { type CgroupHost, isProcessAlive, signalProcess } from "../kernel/mod.ts";
import type { Binaries } from "./binaries.ts";
import { removeCrunState } from "./crun-state.ts";
import type { ExitRecords } from "./exits.ts";
import type { ContainerRecord, ContainerRecords } from "./records.ts";
import { cleanBundle, killCgroup, killSupervisorsOf, removeContainerCgroup } from "./removal.ts";
import { runRuntime } from "./runtime-command.ts";
import { runtimeError } from "./runtime-errors.ts";
import type { Supervision } from "./supervision.ts";
import { settledWithin } from "./waiting.ts";

const SIGKILL = 9;
/** Milliseconds for a runtime to forget a container whose processes are gone. */
const DELETE_WITHIN = 5000;
/** Milliseconds for a supervisor to end after its container. */
const SUPERVISOR_END = 5000;

interface Parts {
  readonly binaries: Binaries;
  readonly records: ContainerRecords;
  readonly exits: ExitRecords;
  readonly supervision: Supervision;
  readonly cgroups: CgroupHost;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds until a runtime that does not answer is given up. */
  readonly timeout: number;
}

/** Takes away all there is of a container but its record: processes, the runtime's state, cgroup, files in the bundle. */
export class ContainerRemoval {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Leaves nothing of a creation that failed or was interrupted. */
  async undo(record: ContainerRecord): Promise<void> {
    const { records, exits, logger } = this.#parts;
    records.forget(record.id);
    try {
      killSupervisorsOf(record.bundle);
      await this.remove(record);
      exits.forget(record.id);
      records.delete(record.id);
    } catch (failure) {
      // The record stays: the next daemon tries again.
      logger.warn("Could not undo the creation of a container", { id: record.id, failure });
    }
  }

  async remove(
    record: Pick<ContainerRecord, "id" | "runtime" | "bundle" | "cgroupsPath" | "processes">,
  ): Promise<void> {
    const { id, runtime, bundle, cgroupsPath, processes } = record;
    const { binaries, exits, supervision, cgroups, clock } = this.#parts;
    await runAll([
      async () => {
        if (cgroupsPath !== undefined && processes && isProcessAlive(processes.init)) killCgroup(cgroups, cgroupsPath);
        if (processes) signalProcess(processes.init, SIGKILL);
        // Its supervisor records the exit and ends by itself.
        const ended = exits.isRecorded(id) ? undefined : supervision.ended(id);
        await settledWithin(clock, SUPERVISOR_END, ended);
      },
      async () => {
        // With the cgroup known nothing is left to crun that is not done here, at a third of the time.
        if (runtime === "crun" && cgroupsPath !== undefined) removeCrunState(binaries.crunFolder(id));
        else await this.#deleteThroughRuntime(id, runtime);
      },
      async () => {
        if (cgroupsPath !== undefined) await removeContainerCgroup(cgroups, cgroupsPath, clock);
      },
      () => {
        if (processes) signalProcess(processes.supervisor, SIGKILL);
      },
      () => cleanBundle(bundle),
    ]);
  }

  async #deleteThroughRuntime(id: string, runtime: string): Promise<void> {
    const { binaries, timeout, logger } = this.#parts;
    const within = Math.min(timeout, DELETE_WITHIN);
    // Processes are killed and cgroups removed without it: a runtime that hangs must not keep its container from going.
    const deletion = runRuntime(binaries.runtime(runtime), ["delete", "--force", id], within);
    const result = await deletion.catch((error: unknown) => {
      if (!isHavreError(error, "deadline-exceeded")) throw error;
      logger.warn("A runtime hangs; its own record of a container may stay", { id, runtime });
      return { code: 0, stderr: "" };
    });
    if (result.code !== 0 && !/does not exist|not exist|No such file/i.test(result.stderr)) {
      throw runtimeError({ operation: "delete", output: result.stderr });
    }
  }
}
