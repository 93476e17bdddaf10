import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { check, errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  socket: { args: ["int", "int", "int"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  listen: { args: ["int", "int"], returns: "int" },
  accept4: { args: ["int", "ptr", "ptr", "int"], returns: "int" },
  recvmsg: { args: ["int", "ptr", "int"], returns: "i64" },
  poll: { args: ["ptr", "u64", "int"], returns: "int" },
});

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const MSG_CMSG_CLOEXEC = 0x40000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const BACKLOG = 64;
const SUN_PATH = 108;
const MESSAGE = 64 * 1024;
const CONTROL = 64;
const MSGHDR = 56;
const EINTR = 4;
export const POLLIN = 1;
export const POLLHUP = 16;

/** A unix stream socket that listens at `path`, at most 107 bytes; the caller closes it. Blocking. */
export function listenUnix(path: string): number {
  const name = Buffer.from(path);
  if (name.length >= SUN_PATH) throw systemError("bind", path, 36);
  const fd = check(libc().socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket", path);
  try {
    const address = Buffer.alloc(2 + name.length + 1);
    address.writeUInt16LE(AF_UNIX, 0);
    name.copy(address, 2);
    check(libc().bind(fd, ptr(address), address.length), "bind", path);
    check(libc().listen(fd, BACKLOG), "listen", path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** The next connection; blocks until there is one. */
export function acceptUnix(fd: number): number {
  return check(libc().accept4(fd, null, null, SOCK_CLOEXEC), "accept4", `descriptor ${fd}`);
}

/** One message with the descriptor that came along with it (unix(7), SCM_RIGHTS); the caller closes that. */
export function receiveDescriptor(fd: number): { readonly text: string; readonly descriptor: number | undefined } {
  const data = Buffer.alloc(MESSAGE);
  const control = Buffer.alloc(CONTROL);
  const vector = Buffer.alloc(16);
  vector.writeBigUInt64LE(BigInt(ptr(data)), 0);
  vector.writeBigUInt64LE(BigInt(data.length), 8);
  const message = Buffer.alloc(MSGHDR);
  message.writeBigUInt64LE(BigInt(ptr(vector)), 16);
  message.writeBigUInt64LE(1n, 24);
  message.writeBigUInt64LE(BigInt(ptr(control)), 32);
  message.writeBigUInt64LE(BigInt(control.length), 40);
  const length = check(libc().recvmsg(fd, ptr(message), MSG_CMSG_CLOEXEC), "recvmsg", `descriptor ${fd}`);
  const given = Number(message.readBigUInt64LE(40));
  const rights = given >= 20 && control.readInt32LE(8) === SOL_SOCKET && control.readInt32LE(12) === SCM_RIGHTS;
  return { text: data.toString("utf8", 0, length), descriptor: rights ? control.readInt32LE(16) : undefined };
}

/** Waits until one of the descriptors can be read or is hung up, or the time is over; their events, in order. Blocks the thread. */
export function pollDescriptors(fds: readonly number[], milliseconds: number): readonly number[] {
  const list = Buffer.alloc(Math.max(8, fds.length * 8));
  for (const [index, fd] of fds.entries()) {
    list.writeInt32LE(fd, index * 8);
    list.writeInt16LE(POLLIN, index * 8 + 4);
  }
  if (libc().poll(ptr(list), fds.length, milliseconds) < 0) {
    const number = errno();
    if (number !== EINTR) throw systemError("poll", `${fds.length} descriptors`, number);
    return fds.map(() => 0);
  }
  return fds.map((_, index) => list.readInt16LE(index * 8 + 6));
}
