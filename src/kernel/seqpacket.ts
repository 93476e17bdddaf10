import { ptr } from "bun:ffi";
import { closeSync, constants, openSync, readFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import { check, errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  socket: { args: ["int", "int", "int"], returns: "int" },
  connect: { args: ["int", "ptr", "u32"], returns: "int" },
  shutdown: { args: ["int", "int"], returns: "int" },
  recv: { args: ["int", "ptr", "u64", "int"], returns: "i64" },
  send: { args: ["int", "ptr", "u64", "int"], returns: "i64" },
  fcntl: { args: ["int", "int", "int"], returns: "int" },
});

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_CLOEXEC = 0o2000000;
const SOCK_NONBLOCK = 0o4000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const F_DUPFD_CLOEXEC = 1030;
const O_PATH = 0o10000000;
const EAGAIN = 11;
/** Type 5 (SEQPACKET), any state, inode 0. */
const UNACCEPTED = /^\S+ \S+ \S+ \S+ 0005 \S+ +0 /;

/** Connects to a unix socket of type SEQPACKET, at a path of any length. Returns a non-blocking descriptor; the caller closes it. */
export function connectSeqpacket(path: string): number {
  const fd = check(libc().socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket", path);
  try {
    // sun_path holds 108 bytes; going through the folder's descriptor keeps any path short enough.
    const folder = openSync(dirname(path), O_PATH | constants.O_DIRECTORY);
    try {
      const name = Buffer.from(`/proc/self/fd/${folder}/${basename(path)}`);
      const address = Buffer.alloc(2 + name.length + 1);
      address.writeUInt16LE(AF_UNIX, 0);
      name.copy(address, 2);
      check(libc().connect(fd, ptr(address), address.length), "connect", path);
    } finally {
      closeSync(folder);
    }
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/**
 * Connections to SEQPACKET sockets of this file name that still wait in their listener's queue: those that have no inode
 * yet (/proc/net/unix, proc(5)), each by the number the kernel gives it. The kernel keeps the path only as it was bound,
 * so sockets of the same file name elsewhere are among them.
 */
export function unacceptedConnections(name: string): readonly string[] {
  return readFileSync("/proc/net/unix", "utf8")
    .split("\n")
    .filter((line) => line.endsWith(`/${name}`) && UNACCEPTED.test(line))
    .map((line) => line.slice(0, line.indexOf(":")));
}

/** Ends the sending direction: the peer reads end of file, and can go on writing. */
export function shutdownWrite(fd: number): void {
  libc().shutdown(fd, 1);
}

export function duplicateDescriptor(fd: number): number {
  return check(libc().fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl(F_DUPFD_CLOEXEC)", `descriptor ${fd}`);
}

/** One packet into `buffer` without waiting; its length, 0 at the end, undefined when there is none yet. */
export function receivePacket(fd: number, buffer: Uint8Array): number | undefined {
  const length = Number(libc().recv(fd, ptr(buffer), buffer.byteLength, MSG_DONTWAIT));
  if (length >= 0) return length;
  return errno() === EAGAIN ? undefined : 0;
}

/** Sends one packet; false when the peer's queue is full. A peer that is gone is an error (EPIPE). */
export function sendPacket(fd: number, data: Uint8Array): boolean {
  const sent = Number(libc().send(fd, ptr(data), data.byteLength, MSG_DONTWAIT | MSG_NOSIGNAL));
  if (sent >= 0) return true;
  const number = errno();
  if (number === EAGAIN) return false;
  throw systemError("send", `descriptor ${fd}`, number);
}
