import { closeSync, readdirSync, readFileSync } from "node:fs";
import { errnoOf, HavreError } from "../base/mod.ts";
import { errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({ syscall: { args: ["i64", "i64", "i64", "i64", "i64"], returns: "i64" } });

// These numbers are the same on every architecture.
const PIDFD_SEND_SIGNAL = 424;
const PIDFD_OPEN = 434;
const ESRCH = 3;
const EINVAL = 22;

interface ProcessStat {
  readonly state: string;
  readonly parent: number;
  /** Clock ticks after boot. */
  readonly startTime: number;
}

/** The fields of /proc/PID/stat that identify a process; undefined when there is none (proc_pid_stat(5)). */
export function processStat(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH") return undefined;
    throw error;
  }
  // The name may contain spaces and parentheses: the fields after it start behind the last parenthesis.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { state: fields[0] ?? "", parent: Number(fields[1]), startTime: Number(fields[19]) };
}

/** Whether a process has a handler for a signal, or ignores it; true too of one that is gone (proc_pid_status(5)). */
export function signalHeard(pid: number, signal: number): boolean {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/status`, "latin1");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH") return true;
    throw error;
  }
  const masks = [...text.matchAll(/^Sig(?:Ign|Cgt):\s*([0-9a-f]+)$/gm)].map(([, mask]) => BigInt(`0x${mask}`));
  return masks.some((mask) => ((mask >> BigInt(signal - 1)) & 1n) === 1n);
}

/** A process by its id and start time (clock ticks since boot): never mistaken for another. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

/** A process that has ended already has no start time to read: 0, which no living process has. */
export function identifyProcess(pid: number): ProcessIdentity {
  return { pid, startTime: processStat(pid)?.startTime ?? 0 };
}

export function isSameProcess(one: ProcessIdentity, other: ProcessIdentity): boolean {
  return one.pid === other.pid && one.startTime === other.startTime;
}

/** True while the process with this id and start time exists and is not a zombie. */
export function isProcessAlive(identity: ProcessIdentity): boolean {
  const stat = processStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && stat.state !== "Z" && stat.state !== "X";
}

/**
 * Sends a signal to exactly this process; false when it has ended. Its descriptor is held while its start time is
 * checked, so that the signal cannot reach another process that was given the same id (pidfd_open(2)).
 */
export function signalProcess(identity: ProcessIdentity, signal: number): boolean {
  const pidfd = Number(libc().syscall(PIDFD_OPEN, identity.pid, 0, 0, 0));
  if (pidfd < 0) {
    const number = errno();
    if (number === ESRCH || number === EINVAL) return false;
    throw systemError("pidfd_open", `process ${identity.pid}`, number);
  }
  try {
    if (!isProcessAlive(identity)) return false;
    if (Number(libc().syscall(PIDFD_SEND_SIGNAL, pidfd, signal, 0, 0)) >= 0) return true;
    const number = errno();
    if (number === ESRCH) return false;
    if (number === EINVAL) throw new HavreError("invalid-argument", `Invalid signal: ${signal}`);
    throw systemError("pidfd_send_signal", `process ${identity.pid}`, number);
  } finally {
    closeSync(pidfd);
  }
}

/** Ids of the processes whose command line has `argument` as one of its arguments. Reads all of /proc: for rare use. */
export function findProcesses(argument: string): number[] {
  const found: number[] = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0").includes(argument)) found.push(Number(name));
    } catch (error) {
      // It ended meanwhile.
      if (errnoOf(error) !== "ENOENT" && errnoOf(error) !== "ESRCH") throw error;
    }
  }
  return found;
}

/** Kills a process that leads a group, and the whole group. The leader must be a child not yet waited for. */
export function killGroup(leader: number): void {
  for (const target of [-leader, leader]) {
    try {
      process.kill(target, "SIGKILL");
    } catch (error) {
      if (errnoOf(error) !== "ESRCH") throw error;
    }
  }
}
