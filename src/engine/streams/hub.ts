import { setImmediate, setTimeout } from "node:timers/promises";
import type { IoConnection } from "../../runtime/mod.ts";
import type { ConnectionSession } from "./session.ts";

/** A client that does not take its output keeps the end of the process from being told for this many milliseconds at most. */
const DELIVERY_WAIT = 500;

/** Sessions by container: those that wait for a start, and those that are live. */
export class StreamHub {
  readonly #pending = new Map<string, Set<ConnectionSession>>();
  readonly #live = new Map<string, Set<ConnectionSession>>();

  /** Connects a session to a process that runs. */
  connect(id: string, session: ConnectionSession, connection: IoConnection): void {
    const live = this.#live.get(id) ?? new Set();
    this.#live.set(id, live.add(session));
    session.connect(connection);
    void session.delivered.then(() => {
      live.delete(session);
      if (live.size === 0 && this.#live.get(id) === live) this.#live.delete(id);
    });
  }

  /**
   * Waits until the clients have what the process wrote before it ended. Whoever waits for the end (docker wait) has the output
   * then, as with Docker.
   */
  async delivered(id: string): Promise<void> {
    const live = [...(this.#live.get(id) ?? [])];
    if (live.length === 0) return;
    const patience = new AbortController();
    await Promise.race([
      Promise.all(live.map(({ delivered }) => delivered)),
      setTimeout(DELIVERY_WAIT, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
    // What was written in this turn of the event loop goes out at its end.
    await setImmediate();
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
  async connectPending(id: string, connect: () => Promise<IoConnection>): Promise<void> {
    const sessions = this.#pending.get(id);
    if (!sessions) return;
    this.#pending.delete(id);
    await Promise.all(
      [...sessions]
        .filter((session) => !session.ended)
        .map(async (session) => this.connect(id, session, await connect())),
    );
  }

  /** The container will not start: its waiting sessions end. */
  endSessions(id: string): void {
    for (const session of this.#pending.get(id) ?? []) session.end();
    this.#pending.delete(id);
  }
}
