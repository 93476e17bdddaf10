import type { Socket } from "node:net";
import { join } from "node:path";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { isHavreError } from "../../base/mod.ts";
import type { Lender } from "../ops/mounts.ts";
import { RelaySocket } from "../ops/relay-socket.ts";
import type { Session } from "./session.ts";
import {
  BytesMessageSchema,
  CheckAgentRequestSchema,
  GetSecretRequestSchema,
  GetSecretResponseSchema,
} from "./wire/session.ts";

const GET_SECRET = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const CHECK_AGENT = "/moby.sshforward.v1.SSH/CheckAgent";
const FORWARD_AGENT = "/moby.sshforward.v1.SSH/ForwardAgent";

/** Secrets and agents that a session lends to the steps of a build. Sockets it makes are gone when it is disposed. */
export class SessionLender implements Lender, AsyncDisposable {
  readonly #session: Session;
  readonly #folder: string;
  readonly #newId: () => string;
  readonly #relays = new Map<string, RelaySocket>();

  /** `folder`: an existing one for sockets, short enough for their paths. */
  constructor(session: Session, folder: string, newId: () => string) {
    this.#session = session;
    this.#folder = folder;
    this.#newId = newId;
  }

  async secret(id: string, signal: AbortSignal): Promise<Uint8Array | undefined> {
    if (!this.#session.offers(GET_SECRET)) return undefined;
    try {
      const { rpc } = this.#session;
      const { data } = await rpc.ask(GET_SECRET, GetSecretRequestSchema, { id }, GetSecretResponseSchema, signal);
      return data;
    } catch (error) {
      if (isHavreError(error, "not-found") || isHavreError(error, "not-implemented")) return undefined;
      throw error;
    }
  }

  async sshSocket(id: string, signal: AbortSignal): Promise<string | undefined> {
    if (!this.#session.offers(CHECK_AGENT)) return undefined;
    const known = this.#relays.get(id);
    if (known) return known.path;
    try {
      await this.#session.rpc.ask(CHECK_AGENT, CheckAgentRequestSchema, { id }, BytesMessageSchema, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isHavreError(error)) return undefined;
      throw error;
    }
    const path = join(this.#folder, `ssh-${this.#newId().slice(0, 12)}.sock`);
    const relay = await RelaySocket.open(path, (socket) => this.#forward(id, socket));
    this.#relays.set(id, relay);
    return path;
  }

  async #forward(id: string, socket: Socket): Promise<void> {
    const { rpc, signal } = this.#session;
    await using call = rpc.call(FORWARD_AGENT, { "buildkit.ssh.id": id }, signal);
    const outward = (async () => {
      for await (const data of socket.iterator({ destroyOnReturn: false })) {
        await call.send(toBinary(BytesMessageSchema, create(BytesMessageSchema, { data })));
      }
      call.end();
    })();
    outward.catch(() => socket.destroy());
    for await (const message of call.messages) {
      const { data } = fromBinary(BytesMessageSchema, message);
      if (!socket.write(data)) await new Promise((resolve) => socket.once("drain", resolve).once("close", resolve));
    }
    socket.end();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const relay of this.#relays.values()) await relay[Symbol.asyncDispose]();
  }
}
