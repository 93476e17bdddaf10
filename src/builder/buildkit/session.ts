import { once } from "node:events";
import type { IncomingHttpHeaders } from "node:http";
import type { Duplex } from "node:stream";
import { HavreError } from "../../base/mod.ts";
import { RpcClient } from "./rpc/client.ts";

const ID_HEADER = "x-docker-expose-session-uuid";
/** The same for all sessions of a client that speak of the same folders. */
const SHARED_KEY_HEADER = "x-docker-expose-session-sharedkey";
const METHOD_HEADER = "x-docker-expose-session-grpc-method";
/** Milliseconds for a client to open the session that its build names. */
const PATIENCE = 20_000;

/** A client that offers services while it builds. */
export class Session {
  readonly rpc: RpcClient;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
  /** What its folders are known by from one session to the next; empty: they are not. */
  readonly sharedKey: string;
  readonly #methods: ReadonlySet<string>;

  constructor(rpc: RpcClient, methods: ReadonlySet<string>, signal: AbortSignal, sharedKey = "") {
    this.rpc = rpc;
    this.#methods = methods;
    this.signal = signal;
    this.sharedKey = sharedKey;
  }

  /** Whether it offers a method, by its path. */
  offers(path: string): boolean {
    return this.#methods.has(path.toLowerCase());
  }
}

/** The sessions that are open. */
export class Sessions {
  readonly #open = new Map<string, Session>();
  readonly #arrivals = new EventTarget();

  /** Keeps a session on a connection until that ends; its headers say which it is. */
  async serve(socket: Duplex, headers: IncomingHttpHeaders): Promise<void> {
    const id = String(headers[ID_HEADER]);
    const methods = String(headers[METHOD_HEADER] ?? "").split(",");
    const control = new AbortController();
    const rpc = new RpcClient(socket);
    const offered = new Set(methods.map((method) => method.trim().toLowerCase()));
    const session = new Session(rpc, offered, control.signal, String(headers[SHARED_KEY_HEADER] ?? ""));
    this.#open.set(id, session);
    this.#arrivals.dispatchEvent(new Event(id));
    await rpc.closed;
    if (this.#open.get(id) === session) this.#open.delete(id);
    rpc.close();
    control.abort(new HavreError("cancelled", "The client of the build has gone"));
  }

  /** The session of an id, waiting a moment for one that is about to come. `not-found`. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const here = this.#open.get(id);
    if (here) return here;
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)]);
    try {
      await once(this.#arrivals, id, { signal: patience });
    } catch (error) {
      signal.throwIfAborted();
      throw new HavreError("not-found", `no active session for ${id}`, { cause: error });
    }
    return this.get(id, signal);
  }
}
