import type { IoConnection } from "../../runtime/mod.ts";
import type { ConnectionSession } from "./session.ts";

/** Sessions by container: those that wait for a start, and those that are live. */
export class StreamHub {
  readonly #pending = new Map<string, Set<ConnectionSession>>();

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
      [...sessions].filter((session) => !session.ended).map(async (session) => session.connect(await connect())),
    );
  }

  /** The container will not start: its waiting sessions end. */
  endSessions(id: string): void {
    for (const session of this.#pending.get(id) ?? []) session.end();
    this.#pending.delete(id);
  }
}
