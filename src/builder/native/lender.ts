import { connect } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Lender } from "../ops/mounts.ts";
import { RelaySocket } from "../ops/relay-socket.ts";

interface Lent {
  /** By id, base64. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Sockets of agents on this machine, by id. */
  readonly agents: Readonly<Record<string, string>>;
}

/** What a request brought with it for the steps of its build. Sockets it makes are gone when it is disposed. */
export class RequestLender implements Lender, AsyncDisposable {
  readonly #lent: Lent;
  readonly #folder: string;
  readonly #newId: () => string;
  readonly #relays = new Map<string, Promise<RelaySocket>>();

  /** `folder`: an existing one for sockets, short enough for their paths. */
  constructor(lent: Lent, folder: string, newId: () => string) {
    this.#lent = lent;
    this.#folder = folder;
    this.#newId = newId;
  }

  async secret(id: string): Promise<Uint8Array | undefined> {
    const { secrets } = this.#lent;
    return Object.hasOwn(secrets, id) ? Buffer.from(secrets[id] ?? "", "base64") : undefined;
  }

  /** Never the agent's own socket: a step's user becomes its owner. */
  async sshSocket(id: string): Promise<string | undefined> {
    const { agents } = this.#lent;
    if (!Object.hasOwn(agents, id)) return undefined;
    const relay = this.#relays.get(id) ?? this.#relay(agents[id] ?? "");
    this.#relays.set(id, relay);
    return (await relay).path;
  }

  #relay(agent: string): Promise<RelaySocket> {
    const path = join(this.#folder, `ssh-${this.#newId().slice(0, 12)}.sock`);
    return RelaySocket.open(path, async (socket) => {
      const upstream = connect(agent);
      await Promise.all([pipeline(socket, upstream), pipeline(upstream, socket)]);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of await Promise.allSettled(this.#relays.values()))
      if (relay.status === "fulfilled") await relay.value[Symbol.asyncDispose]();
  }
}
