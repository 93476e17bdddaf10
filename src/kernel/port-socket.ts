import { ptr } from "bun:ffi";
import { check, libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  socket: { args: ["int", "int", "int"], returns: "int" },
  setsockopt: { args: ["int", "int", "int", "ptr", "u32"], returns: "int" },
  bind: { args: ["int", "ptr", "u32"], returns: "int" },
  listen: { args: ["int", "int"], returns: "int" },
  close: { args: ["int"], returns: "int" },
});

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_FLAGS = 0o2004000; // SOCK_CLOEXEC | SOCK_NONBLOCK
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_ATTACH_FILTER = 26;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const BPF_RET = 6;
const BACKLOG = 128;
const ONE = new Uint8Array(Int32Array.of(1).buffer);
/** Socket type and protocol. */
const PROTOCOLS = { tcp: [1, 6], udp: [2, 17], sctp: [1, 132] } as const;

export type PortProtocol = keyof typeof PROTOCOLS;

/** A port of this host that nobody else can bind while the descriptor is open. */
export class PortSocket implements Disposable {
  #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Hands the descriptor over to who serves it. */
  take(): number {
    const fd = this.#fd;
    this.#fd = -1;
    return fd;
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) libc().close(this.#fd);
    this.#fd = -1;
  }
}

export interface PortSocketRequest {
  readonly protocol: PortProtocol;
  /** 4 or 16 bytes; of all zeros every address of that family. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Nobody serves the socket: what reaches it is dropped without an answer, so that a client tries again. */
  readonly deaf: boolean;
}

/**
 * Binds a port, and listens where the protocol knows that: a socket that listens keeps even those away who set
 * SO_REUSEADDR, and is itself not kept away by connections of a former holder that are still closing. The error's cause
 * carries EADDRINUSE, EADDRNOTAVAIL, EACCES, or EPROTONOSUPPORT for a protocol that the kernel does not have.
 */
export function bindPort(request: PortSocketRequest): PortSocket {
  const { protocol, address, port, deaf } = request;
  const [type, number] = PROTOCOLS[protocol];
  const family = address.byteLength === 4 ? AF_INET : AF_INET6;
  const subject = `${protocol} port ${port}`;
  const fd = check(libc().socket(family, type | SOCK_FLAGS, number), "socket", subject);
  try {
    const set = (level: number, name: number, value: Uint8Array) =>
      check(libc().setsockopt(fd, level, name, ptr(value), value.byteLength), "setsockopt", subject);
    if (protocol !== "udp") set(SOL_SOCKET, SO_REUSEADDR, ONE);
    if (family === AF_INET6) set(IPPROTO_IPV6, IPV6_V6ONLY, ONE);
    if (deaf) attachDropFilter(set);
    const where = socketAddress(family, address, port);
    check(libc().bind(fd, ptr(where), where.byteLength), "bind", subject);
    if (protocol !== "udp") check(libc().listen(fd, BACKLOG), "listen", subject);
    return new PortSocket(fd);
  } catch (error) {
    libc().close(fd);
    throw error;
  }
}

/** A filter program of one instruction: keep 0 bytes of each packet (socket(7), SO_ATTACH_FILTER). */
function attachDropFilter(set: (level: number, name: number, value: Uint8Array) => void): void {
  const instruction = Buffer.alloc(8);
  instruction.writeUInt16LE(BPF_RET, 0);
  const program = Buffer.alloc(16);
  program.writeUInt16LE(1, 0);
  program.writeBigUInt64LE(BigInt(ptr(instruction)), 8);
  set(SOL_SOCKET, SO_ATTACH_FILTER, program);
}

function socketAddress(family: number, address: Uint8Array, port: number): Buffer {
  const bytes = Buffer.alloc(family === AF_INET ? 16 : 28);
  bytes.writeUInt16LE(family, 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address, family === AF_INET ? 4 : 8);
  return bytes;
}
