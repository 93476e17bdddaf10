import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import { HavreError } from "../base/mod.ts";
import { check, cstring, errno, libcSymbols, systemError } from "./libc.ts";
import { inNetworkNamespace, type NetworkNamespace } from "./netns.ts";
import { watchSocket } from "./readiness.ts";

const libc = libcSymbols({
  socket: { args: ["int", "int", "int"], returns: "int" },
  setsockopt: { args: ["int", "int", "int", "ptr", "u32"], returns: "int" },
  connect: { args: ["int", "ptr", "u32"], returns: "int" },
  inet_pton: { args: ["int", "ptr", "ptr"], returns: "int" },
  close: { args: ["int"], returns: "int" },
});

const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;
const EINPROGRESS = 115;

/**
 * UDP and TCP sockets of another network namespace on this process's event loop. Bun makes them before its functions
 * return, as long as the address is one and not a name: so they are opened inside, and stay there.
 */

/** A peer's or an own address; `address` is numeric. */
export interface SocketAddress {
  readonly address: string;
  readonly port: number;
}

export interface DatagramSocket extends Disposable {
  readonly port: number;
  /** false: it could not be sent, for want of room or because it is too long. `to` is left out when the socket is connected. */
  send(data: Uint8Array, to?: SocketAddress): boolean;
}

export interface StreamSocket extends Disposable {
  /** Bytes taken; the rest is to be written again after `drain`. */
  write(data: Uint8Array): number;
  pause(): void;
  resume(): void;
}

export interface StreamHandlers {
  data(bytes: Uint8Array): void;
  drain(): void;
  /** Once. */
  close(): void;
}

export interface StreamListener extends Disposable {
  readonly port: number;
}

/** `bytes` are valid during the call only. */
type DatagramHandler = (bytes: Uint8Array, from: SocketAddress) => void;

/** A UDP socket bound to `address` and a port of the kernel's choice. `namespace` undefined: the host's. */
export async function bindDatagrams(
  namespace: NetworkNamespace | undefined,
  address: string,
  received: DatagramHandler,
): Promise<DatagramSocket> {
  const options: Bun.udp.SocketOptions<"uint8array"> = {
    hostname: address,
    port: 0,
    binaryType: "uint8array",
    socket: {
      data: (_socket, bytes, port, from) => received(bytes, { address: from, port }),
      // A peer that closed its port before the answer came says so: without a handler this would end the process.
      error: () => {},
    },
  };
  const socket = await within(namespace, () => Bun.udpSocket(options));
  return {
    port: socket.port,
    send: (data, to) => to !== undefined && attempt(() => socket.send(data, to.port, to.address)),
    [Symbol.dispose]: () => socket.close(),
  };
}

/**
 * A UDP socket from a port of the kernel's choice to one peer: nobody else's datagrams come in.
 * @param failed the peer's host said that nobody listens there, or that it cannot be reached.
 */
export async function connectDatagrams(
  namespace: NetworkNamespace | undefined,
  peer: SocketAddress,
  received: (bytes: Uint8Array) => void,
  failed: () => void,
): Promise<DatagramSocket> {
  const options: Bun.udp.ConnectSocketOptions<"uint8array"> = {
    hostname: isIPv6(peer.address) ? "::" : "0.0.0.0",
    connect: { hostname: peer.address, port: peer.port },
    binaryType: "uint8array",
    socket: { data: (_socket, bytes) => received(bytes), error: () => failed() },
  };
  // The types see the other kind of socket first: each fits the options of the other.
  const open = Bun.udpSocket as (of: typeof options) => Promise<Bun.udp.ConnectedSocket<"uint8array">>;
  const socket = await within(namespace, () => open(options));
  return {
    port: socket.port,
    send: (data) => attempt(() => socket.send(data)),
    [Symbol.dispose]: () => socket.close(),
  };
}

/** A TCP listener at `address` and a port of the kernel's choice; `accepted` returns what handles the connection. */
export function listenStreams(
  namespace: NetworkNamespace,
  address: string,
  accepted: (socket: StreamSocket) => StreamHandlers,
): StreamListener {
  const listener = within(namespace, () =>
    Bun.listen<StreamHandlers>({
      hostname: address,
      port: 0,
      socket: {
        binaryType: "uint8array",
        open: (socket) => {
          socket.data = accepted(stream(socket));
        },
        data: (socket, bytes) => socket.data.data(bytes),
        drain: (socket) => socket.data.drain(),
        close: (socket) => socket.data.close(),
        error: () => {},
      },
    }),
  );
  return { port: listener.port, [Symbol.dispose]: () => listener.stop(true) };
}

/**
 * A TCP connection in the making: one that cannot be made is closed, at the latest after `timeout` milliseconds without an answer from
 * the peer. Made here and not by Bun, which does not let go of one that is not made yet.
 */
export async function connectStream(
  namespace: NetworkNamespace | undefined,
  peer: SocketAddress,
  timeout: number,
  handlers: StreamHandlers,
): Promise<StreamSocket> {
  const address = socketAddress(peer);
  const family = isIPv6(peer.address.split("%")[0] ?? "") ? AF_INET6 : AF_INET;
  const limit = new Uint8Array(Int32Array.of(timeout).buffer);
  const subject = `${peer.address} port ${peer.port}`;
  const fd = within(namespace, () =>
    check(libc().socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket", subject),
  );
  try {
    check(libc().setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, limit, limit.byteLength), "setsockopt", subject);
    if (libc().connect(fd, address, address.byteLength) < 0) {
      const number = errno();
      if (number !== EINPROGRESS) throw systemError("connect", subject, number);
    }
  } catch (error) {
    libc().close(fd);
    throw error;
  }
  const socket = await watchSocket(fd, handlers);
  return {
    write: socket.write,
    pause: socket.pause,
    resume: socket.resume,
    [Symbol.dispose]: socket.close,
  };
}

/** struct sockaddr_in or sockaddr_in6 (ip(7), ipv6(7)). */
function socketAddress({ address, port }: SocketAddress): Buffer {
  const [plain = "", zone] = address.split("%");
  const six = isIPv6(plain);
  const bytes = Buffer.alloc(six ? 28 : 16);
  bytes.writeUInt16LE(six ? AF_INET6 : AF_INET, 0);
  bytes.writeUInt16BE(port, 2);
  const text = cstring(plain);
  const number = bytes.subarray(six ? 8 : 4);
  if (libc().inet_pton(six ? AF_INET6 : AF_INET, text, number) !== 1)
    throw new HavreError("invalid-argument", `Invalid IP address: ${address}`);
  if (zone !== undefined) bytes.writeUInt32LE(Number(readFileSync(`/sys/class/net/${zone}/ifindex`, "utf8")), 24);
  return bytes;
}

function attempt(send: () => boolean): boolean {
  try {
    return send();
  } catch {
    return false;
  }
}

function within<T>(namespace: NetworkNamespace | undefined, work: () => T): T {
  return namespace === undefined ? work() : inNetworkNamespace(namespace, work);
}

function stream<Data>(socket: Bun.Socket<Data>): StreamSocket {
  return {
    write: (data) => socket.write(data),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    [Symbol.dispose]: () => void socket.terminate(),
  };
}
