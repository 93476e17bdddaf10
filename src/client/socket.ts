import { HavreError, toHavreError } from "../base/mod.ts";
import type { Address } from "./address.ts";
import type { Connection, ConnectionEvents, Transport } from "./transport.ts";

/**
 * Connections through Bun's sockets: opening one costs a third of what loading node:net costs, which is what a
 * command's start-up is made of (docs/decisions/command-line-start-up.md).
 */
export function socketTransport(address: Address): Transport {
  const name = address.kind === "unix" ? `unix://${address.path}` : `tcp://${address.host}:${address.port}`;
  return {
    address: name,
    async connect(events) {
      try {
        return await SocketConnection.open(address, events);
      } catch (cause) {
        const { kind } = toHavreError(cause);
        if (kind === "permission-denied")
          throw new HavreError(kind, `permission denied while trying to connect to the daemon at ${name}`, { cause });
        throw new HavreError("unavailable", `Cannot connect to the daemon at ${name}. Is it running?`, { cause });
      }
    },
  };
}

class SocketConnection implements Connection {
  #socket: Bun.Socket<unknown> | undefined;
  #queue: Uint8Array[] = [];
  #pending = 0;
  #endAfterFlush = false;

  get pending(): number {
    return this.#pending;
  }

  static async open(address: Address, events: ConnectionEvents): Promise<SocketConnection> {
    const connection = new SocketConnection();
    const handlers: Bun.SocketHandler = {
      data: (_socket, chunk) => events.data(chunk),
      drain: () => {
        connection.#flush();
        if (connection.#pending === 0) events.drain();
      },
      end: () => events.end(),
      close: (_socket, error) => events.closed(error ?? undefined),
      error: (_socket, error) => events.closed(error),
    };
    connection.#socket =
      address.kind === "unix"
        ? await Bun.connect({ unix: address.path, socket: handlers, allowHalfOpen: true })
        : await Bun.connect({ hostname: address.host, port: address.port, socket: handlers, allowHalfOpen: true });
    return connection;
  }

  write(data: Uint8Array | string): void {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    if (bytes.byteLength === 0) return;
    this.#queue.push(bytes);
    this.#pending += bytes.byteLength;
    if (this.#queue.length === 1) this.#flush();
  }

  #flush(): void {
    for (let head = this.#queue[0]; head; head = this.#queue[0]) {
      const written = this.#socket?.write(head) ?? -1;
      if (written <= 0) return;
      this.#pending -= written;
      if (written < head.byteLength) {
        this.#queue[0] = head.subarray(written);
        return;
      }
      this.#queue.shift();
    }
    if (this.#endAfterFlush) this.#endNow();
  }

  endWrite(): void {
    this.#endAfterFlush = true;
    if (this.#pending === 0) this.#endNow();
  }

  pause(): void {
    this.#socket?.pause();
  }

  resume(): void {
    this.#socket?.resume();
  }

  #endNow(): void {
    // Bun 1.4's `shutdown(true)` shuts the reading half; without an argument it is the writing half.
    this.#socket?.shutdown();
  }

  close(): void {
    this.#queue = [];
    this.#pending = 0;
    this.#socket?.terminate();
  }
}
