import { rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";

/** A unix socket whose connections are carried elsewhere. Gone, with its connections, when it is disposed. */
export class RelaySocket implements AsyncDisposable {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `carry` passes on what a connection says, and its answers; a connection is cut when it fails. */
  private constructor(path: string, carry: (socket: Socket) => Promise<void>) {
    this.path = path;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      socket.on("error", () => socket.destroy());
      carry(socket).catch(() => socket.destroy());
    });
  }

  static async open(path: string, carry: (socket: Socket) => Promise<void>): Promise<RelaySocket> {
    const relay = new RelaySocket(path, carry);
    await new Promise<void>((resolve, reject) => {
      relay.#server.once("error", reject);
      relay.#server.listen(path, resolve);
    });
    return relay;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.path, { force: true });
  }
}
