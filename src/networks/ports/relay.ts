import { createSocket, type RemoteInfo, type Socket as UdpSocket } from "node:dgram";
import { connect, createServer, type Socket } from "node:net";
import type { Logger } from "../../base/mod.ts";
import type { PortProtocol, PortSocket } from "../../kernel/mod.ts";

/** Docker's: a client that says nothing for so long is forgotten. */
const UDP_IDLE_MS = 90_000;
/** Clients of one UDP port at a time; the one that was silent for longest makes room. */
const UDP_CLIENTS = 1024;

export interface RelayTarget {
  readonly address: string;
  readonly port: number;
}

/**
 * Carries what comes to an IPv6 port of the host to a container that has no IPv6 address, or comes from `::1`: the
 * kernel translates addresses, not families. The container sees the host's address, as with Docker's proxy.
 *
 * Takes over the socket. Disposing ends every connection.
 * @param target asked for each connection, and each datagram.
 */
export function startRelay(
  protocol: PortProtocol,
  socket: PortSocket,
  target: () => RelayTarget,
  log: Logger,
): Disposable {
  return protocol === "udp" ? relayDatagrams(socket, target, log) : relayStreams(socket, target, log);
}

function relayStreams(socket: PortSocket, target: () => RelayTarget, log: Logger): Disposable {
  const open = new Set<Socket>();
  const keep = (one: Socket) => {
    open.add(one);
    one.once("close", () => open.delete(one));
  };
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const { address, port } = target();
    const inside = connect({ host: address, port, allowHalfOpen: true, noDelay: true });
    keep(client);
    keep(inside);
    join(client, inside);
    join(inside, client);
  });
  server.on("error", (error) => log.warn("A relay of a published port failed", { error, ...target() }));
  server.listen({ fd: socket.take() });
  return {
    [Symbol.dispose]: () => {
      server.close();
      for (const one of open) one.destroy();
    },
  };
}

/**
 * One direction. An orderly end is passed on as one; what fails on one side fails on the other, and when one side is gone
 * altogether nobody is left to hear the other, once it has been told all.
 */
function join(from: Socket, to: Socket): void {
  from.pipe(to);
  from.once("error", () => to.resetAndDestroy());
  from.once("close", () => {
    if (to.writableFinished || !from.readableEnded) to.destroy();
    else to.once("finish", () => to.destroy());
  });
}

interface Client {
  readonly socket: UdpSocket;
  seen: number;
}

function relayDatagrams(socket: PortSocket, target: () => RelayTarget, log: Logger): Disposable {
  /** By address and port, the one that spoke last at the end. */
  const clients = new Map<string, Client>();
  const outside = createSocket("udp6");
  const forget = (key: string) => {
    clients.get(key)?.socket.close();
    clients.delete(key);
  };
  const sweep = () => {
    const since = Date.now() - UDP_IDLE_MS;
    for (const [key, { seen }] of clients) {
      if (seen > since) break;
      forget(key);
    }
    timer = clients.size === 0 ? undefined : setTimeout(sweep, UDP_IDLE_MS).unref();
  };
  let timer: NodeJS.Timeout | undefined;
  const clientOf = ({ address, port }: RemoteInfo): Client => {
    const key = `${address} ${port}`;
    const known = clients.get(key);
    clients.delete(key);
    const client = known ?? { socket: createSocket("udp4"), seen: 0 };
    clients.set(key, client);
    client.seen = Date.now();
    if (known) return known;
    const [oldest] = clients.keys();
    if (clients.size > UDP_CLIENTS && oldest !== undefined) forget(oldest);
    client.socket.on("message", (message) => {
      client.seen = Date.now();
      outside.send(message, port, address);
    });
    client.socket.on("error", () => forget(key));
    timer ??= setTimeout(sweep, UDP_IDLE_MS).unref();
    return client;
  };
  outside.on("message", (message, from) => {
    const { address, port } = target();
    clientOf(from).socket.send(message, port, address);
  });
  outside.on("error", (error) => log.warn("A relay of a published port failed", { error, ...target() }));
  outside.bind({ fd: socket.take() });
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      outside.close();
      for (const key of [...clients.keys()]) forget(key);
    },
  };
}
