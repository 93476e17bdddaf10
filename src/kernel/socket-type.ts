import { ptr } from "bun:ffi";
import { closeSync, readFileSync } from "node:fs";
import { libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  syscall: { args: ["i64", "i64", "i64", "i64"], returns: "i64" },
  getsockopt: { args: ["int", "int", "int", "ptr", "ptr"], returns: "int" },
});

// One number on every architecture.
const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;
const SOL_SOCKET = 1;
const SO_TYPE = 3;
const STREAM = 1;

/** Whether another process's socket is one of streams (tcp) or of packets (udp); undefined when it cannot be asked. */
export function socketType(thread: number, descriptor: number): "stream" | "packets" | undefined {
  let leader: number;
  try {
    leader = Number(/^Tgid:\s*(\d+)/m.exec(readFileSync(`/proc/${thread}/status`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
  const process = Number(libc().syscall(PIDFD_OPEN, leader, 0, 0));
  if (process < 0) return undefined;
  try {
    const socket = Number(libc().syscall(PIDFD_GETFD, process, descriptor, 0));
    if (socket < 0) return undefined;
    try {
      const value = new Int32Array(1);
      const length = new Uint32Array([4]);
      if (libc().getsockopt(socket, SOL_SOCKET, SO_TYPE, ptr(value), ptr(length)) < 0) return undefined;
      return value[0] === STREAM ? "stream" : "packets";
    } finally {
      closeSync(socket);
    }
  } finally {
    closeSync(process);
  }
}
