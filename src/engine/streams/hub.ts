import { setTimeout } from "node:timers/promises";
import type { IoConnection } from "../../runtime/mod.ts";
import type { ConnectionSession } from "./session.ts";
import { SharedConnection } from "./shared-connection.ts";

/** How sessions reach a process. */
export interface AttachableProcess {
  /** Its input ends with the first client that ends it. */
  readonly stdinOnce: boolean;
  connect(): Promise<IoConnection>;
}

/** A client that does not take its output keeps the end of the process from being told for this many milliseconds at most. */
const DELIVERY_WAIT = 500;

/**
 * Output and the news of the end go over two connections. A client that finds both at once reads either first, so the end follows
 * the last output by this many milliseconds.
 */
const HEAD_START = 3;

/** Sessions by container: those that wait for a start, and those that are live. */
export class StreamHub {
  readonly #pending = new Map<string, Set<ConnectionSession>>();
  readonly #live = new Map<string, Set<ConnectionSession>>();
  /** When a client of the container's process last took output, on the monotonic clock. */
  readonly #takenAt = new Map<string, number>();
  /** By container whose input is given once: the connection of its present process. */
  readonly #shared = new Map<string, Promise<SharedConnection>>();

  /** Connects a session to a process that exists. */
  async attach(id: string, session: ConnectionSession, process: AttachableProcess): Promise<void> {
    const connection = process.stdinOnce
      ? (await this.#share(id, process)).join(session.stdin)
      : await process.connect();
    this.connect(id, session, connection);
  }

  /** The session takes over a connection to a process. */
  connect(id: string, session: ConnectionSession, connection: IoConnection): void {
    const live = this.#live.get(id) ?? new Set();
    this.#live.set(id, live.add(session));
    session.connect(connection);
    void session.delivered.then(() => {
      live.delete(session);
      this.#takenAt.set(id, Math.max(session.takenAt, this.#takenAt.get(id) ?? session.takenAt));
      if (live.size === 0 && this.#live.get(id) === live) this.#live.delete(id);
    });
  }

  /**
   * Waits until the clients have what the process wrote before it ended. Whoever waits for the end (docker wait) has the output
   * then, as with Docker.
   */
  async delivered(id: string): Promise<void> {
    const live = [...(this.#live.get(id) ?? [])];
    if (live.length > 0) await this.#allDelivered(live);
    const missing = (this.#takenAt.get(id) ?? Number.NEGATIVE_INFINITY) + HEAD_START - performance.now();
    this.#takenAt.delete(id);
    if (missing > 0) await setTimeout(missing);
  }

  async #allDelivered(live: readonly ConnectionSession[]): Promise<void> {
    const patience = new AbortController();
    await Promise.race([
      Promise.all(live.map(({ delivered }) => delivered)),
      setTimeout(DELIVERY_WAIT, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
  }

  /** The session is connected when the container next starts. */
  waitForStart(id: string, session: ConnectionSession): void {
    let sessions = this.#pending.get(id);
    if (!sessions) {
      sessions = new Set();
      this.#pending.set(id, sessions);
    }
    // Clients that left without a start are let go when the next one comes.
    for (const waiting of sessions) if (waiting.ended) sessions.delete(waiting);
    sessions.add(session);
  }

  /** Connects every waiting session, before the process runs, so that its first byte is seen. */
  async connectPending(id: string, process: AttachableProcess): Promise<void> {
    // A client that is slow to read may still hold the connection of the process before.
    this.#shared.delete(id);
    const sessions = this.#pending.get(id);
    if (!sessions) return;
    this.#pending.delete(id);
    await Promise.all(
      [...sessions].filter((session) => !session.ended).map((session) => this.attach(id, session, process)),
    );
  }

  #share(id: string, process: AttachableProcess): Promise<SharedConnection> {
    const known = this.#shared.get(id);
    if (known) return known;
    const shared = process.connect().then((connection) => new SharedConnection(connection));
    this.#shared.set(id, shared);
    const forget = () => {
      if (this.#shared.get(id) === shared) this.#shared.delete(id);
    };
    shared.then(({ closed }) => closed).then(forget, forget);
    return shared;
  }

  /** The container will not start: its waiting sessions end. */
  endSessions(id: string): void {
    for (const session of this.#pending.get(id) ?? []) session.end();
    this.#pending.delete(id);
  }
}
