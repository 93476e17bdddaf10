import { readFileSync } from "node:fs";
import { errnoOf, HavreError } from "../base/mod.ts";
import { check, errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({ syscall: { args: ["i64", "i64", "i64", "i64", "i64"], returns: "i64" } });

// These numbers are the same on every architecture.
const PIDFD_SEND_SIGNAL = 424;
const PIDFD_OPEN = 434;
const ESRCH = 3;

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

/** True while the process with this id and start time exists and is not a zombie. */
export function isProcessAlive(identity: { readonly pid: number; readonly startTime: number }): boolean {
  const stat = processStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && stat.state !== "Z" && stat.state !== "X";
}

/** A descriptor of the process, readable when it ends (pidfd_open(2)); undefined when it is gone. The caller closes it. */
export function openPidfd(pid: number): number | undefined {
  const fd = Number(libc().syscall(PIDFD_OPEN, pid, 0, 0, 0));
  if (fd >= 0) return fd;
  const number = errno();
  if (number === ESRCH) return undefined;
  throw systemError("pidfd_open", `process ${pid}`, number);
}

/** Sends a signal through a pidfd; false when the process has ended (pidfd_send_signal(2)). */
export function signalPidfd(fd: number, signal: number): boolean {
  const result = Number(libc().syscall(PIDFD_SEND_SIGNAL, fd, signal, 0, 0));
  if (result >= 0) return true;
  const number = errno();
  if (number === ESRCH) return false;
  if (number === 22) throw new HavreError("invalid-argument", `Invalid signal: ${signal}`);
  check(result, "pidfd_send_signal", `signal ${signal}`);
  return false;
}
