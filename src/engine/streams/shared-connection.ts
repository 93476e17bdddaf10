import { deferred } from "../../base/mod.ts";
import type { IoConnection, OutputChunk } from "../../runtime/mod.ts";

/**
 * One connection for all clients of a container whose input is given once: the supervisor closes that input as soon as any
 * connection to it ends, whosever it is. Output goes to every client and waits for the slowest (Docker's); the input ends
 * when a client that has it ends it or leaves.
 */
export class SharedConnection {
  readonly #connection: IoConnection;
  readonly #clients = new Set<ClientConnection>();
  readonly #paused = new Set<ClientConnection>();
  #inputEnded = false;
  #listening = false;
  /** Settles when the process has closed its output and every client has all of it. */
  readonly closed: Promise<void>;

  constructor(connection: IoConnection) {
    this.#connection = connection;
    this.closed = connection.closed;
  }

  /** A client's own view of the connection; `stdin`: it has the input. */
  join(stdin: boolean): IoConnection {
    const client = new ClientConnection(this, this.#connection, stdin);
    this.#clients.add(client);
    return client;
  }

  /** From the first client's listener on: what came before waits in the connection. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    this.#connection.onOutput((chunk) => {
      for (const client of this.#clients) if (!client.take(chunk)) this.#paused.add(client);
      return this.#paused.size === 0;
    });
  }

  resume(client: ClientConnection): void {
    if (this.#paused.delete(client) && this.#paused.size === 0) this.#connection.resume();
  }

  endInput(): void {
    this.#inputEnded = true;
    this.#connection.endInput();
  }

  async leave(client: ClientConnection): Promise<void> {
    if (!this.#clients.delete(client)) return;
    if (client.stdin) this.endInput();
    this.resume(client);
    if (this.#clients.size > 0) return;
    // The end of the connection would be the end of an input that nobody was given yet; its output is let go by.
    if (this.#inputEnded) await this.#connection[Symbol.asyncDispose]();
    else this.listen();
  }
}

class ClientConnection implements IoConnection {
  readonly stdin: boolean;
  readonly closed: Promise<void>;
  readonly #shared: SharedConnection;
  readonly #connection: IoConnection;
  readonly #left = deferred<void>();
  #listener: ((chunk: OutputChunk) => boolean) | undefined;

  constructor(shared: SharedConnection, connection: IoConnection, stdin: boolean) {
    this.#shared = shared;
    this.#connection = connection;
    this.stdin = stdin;
    this.closed = Promise.race([shared.closed, this.#left.promise]);
  }

  take(chunk: OutputChunk): boolean {
    return this.#listener?.(chunk) ?? true;
  }

  onOutput(listener: (chunk: OutputChunk) => boolean): void {
    this.#listener = listener;
    this.#shared.listen();
  }

  resume(): void {
    this.#shared.resume(this);
  }

  write(data: Uint8Array): boolean {
    return this.#connection.write(data);
  }

  drained(): Promise<void> {
    return this.#connection.drained();
  }

  endInput(): void {
    this.#shared.endInput();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#left.resolve();
    await this.#shared.leave(this);
  }
}
