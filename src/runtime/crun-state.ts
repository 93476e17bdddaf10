import { closeSync, constants, existsSync, openSync, readFileSync, rmSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import { type CgroupHost, isFrozen, isProcessAlive, processStat } from "../kernel/mod.ts";
import type { RuntimeStatus } from "./runtime.ts";

/**
 * What crun keeps of a container in `STATE/ID`, read and written without starting crun, which takes 3 ms each time.
 * `exec.fifo` is there until the container is started; `status` names the init process.
 */
interface CrunStatus {
  readonly pid: number;
  readonly "process-start-time"?: number;
}

/**
 * Lets a created container run, as `crun start` does: the init process waits for a byte on the pipe, and the pipe's
 * name disappears before. False when this is not possible; crun itself then says why.
 */
export function startThroughPipe(folder: string): boolean {
  const path = join(folder, "exec.fifo");
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  } catch (error) {
    // ENXIO: the init process is gone.
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENXIO") return false;
    throw error;
  }
  try {
    unlinkSync(path);
    writeSync(fd, "\0");
  } finally {
    closeSync(fd);
  }
  return true;
}

export function crunStatus(folder: string, cgroups: CgroupHost, cgroupsPath = "/"): RuntimeStatus {
  let status: CrunStatus;
  try {
    status = JSON.parse(readFileSync(join(folder, "status"), "utf8")) as CrunStatus;
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return existsSync(folder) ? "creating" : "absent";
    throw error;
  }
  const startTime = status["process-start-time"] ?? processStat(status.pid)?.startTime ?? 0;
  if (!isProcessAlive({ pid: status.pid, startTime })) return "stopped";
  if (existsSync(join(folder, "exec.fifo"))) return "created";
  return isFrozen(cgroups, cgroupsPath) ? "paused" : "running";
}

export function removeCrunState(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}
