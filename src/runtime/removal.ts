import { readdirSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { type Clock, errnoOf, HavreError } from "../base/mod.ts";
import {
  type CgroupHost,
  cgroupFolders,
  findProcesses,
  identifyProcess,
  processesIn,
  removeCgroup,
  signalProcess,
  thaw,
} from "../kernel/mod.ts";
import { closeSharedMemory } from "./shared-memory.ts";

const SIGKILL = 9;
/** A killed process leaves its cgroup when its parent has seen its end: usually within a millisecond, at worst under heavy load. */
const ATTEMPTS = 200;

/** Removes a container's cgroup from every tree, killing what is still in it. `internal` when a process will not go. */
export async function removeContainerCgroup(host: CgroupHost, path: string, clock: Clock): Promise<void> {
  const folders = cgroupFolders(host, path);
  let left = folders.filter((folder) => !removeCgroup(folder));
  for (let attempt = 0; left.length > 0 && attempt < ATTEMPTS; attempt++) {
    killCgroup(host, path);
    await clock.sleep(Math.min(1 + attempt, 50));
    left = left.filter((folder) => !removeCgroup(folder));
  }
  if (left.length > 0) {
    throw new HavreError("internal", `A process in cgroup ${path} does not end`, {
      hint: "See what it waits for in /proc/PID/stack",
    });
  }
}

/** Kills every process of a cgroup; those in uninterruptible waits die later. */
export function killCgroup(host: CgroupHost, path: string, signal: number = SIGKILL): number {
  const pids = processesIn(host, path);
  for (const pid of pids) signalProcess(identifyProcess(pid), signal);
  if (signal === SIGKILL) thaw(host, path);
  return pids.length;
}

/** Kills supervisors by their bundle argument: those of a creation of which only the bundle is known. */
export function killSupervisorsOf(bundle: string): void {
  for (const pid of findProcesses(bundle)) if (pid !== process.pid) signalProcess(identifyProcess(pid), SIGKILL);
}

const BUNDLE_FILES = new Set(["attach", "ctl", "winsz", "alive", "pidfile", "config.json", "oom"]);

/** Removes what creation put into a bundle folder; logs stay. */
export function cleanBundle(bundle: string): void {
  closeSharedMemory(bundle);
  for (const name of listIfThere(bundle)) if (BUNDLE_FILES.has(name)) unlinkSync(join(bundle, name));
}

function listIfThere(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}
