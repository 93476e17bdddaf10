import { toHavreError } from "../../base/mod.ts";
import { type Container, containerKind } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";
import { hasProcess } from "../lookup.ts";
import { restartDecision } from "../restart-policy.ts";

/** Milliseconds: waits between restarts for bad health, and after how long a container starts with a clean slate. */
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 60_000;
const FORGIVEN_AFTER = 10 * 60_000;

/** Containers that wait for their next try. Timers only; what they are for stands in the store (`restarting`). */
export class Restarts {
  readonly #context: EngineContext;
  readonly #restart: (id: string) => Promise<void>;
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  /** Milliseconds waited before the last try. */
  readonly #lastDelay = new Map<string, number>();
  readonly #closing = new AbortController();
  #held = false;
  /** When and after which wait a container was last restarted for its health. */
  readonly #unhealthy = new Map<string, { readonly at: number; readonly delay: number }>();

  constructor(context: EngineContext, restart: (id: string) => Promise<void>) {
    this.#context = context;
    this.#restart = restart;
  }

  /** Whether the container's policy wants it started again after the exit it records. */
  wanted(container: Container): boolean {
    return !this.#held && this.#decide(container).restart;
  }

  /** Nothing is started again any more; what policies want is left to the next daemon. */
  hold(): void {
    this.#held = true;
  }

  /** Plans the next start of a container that is `restarting`. */
  schedule(container: Container): void {
    const decision = this.#decide(container);
    if (!decision.restart || this.#closing.signal.aborted) return;
    const { id } = container;
    this.#lastDelay.set(id, decision.delay);
    this.#timers.set(
      id,
      setTimeout(() => {
        this.#timers.delete(id);
        void this.#restart(id).catch((failure) => this.#failed(id, failure));
      }, decision.delay),
    );
  }

  /**
   * Runs `restart` for a container that turned unhealthy: at once the first time, later and later while the last such
   * restart is recent.
   */
  async afterUnhealthy({ id, status }: Container, restart: () => Promise<void>): Promise<void> {
    const now = this.#context.clock.now();
    const last = this.#unhealthy.get(id);
    const again = last !== undefined && now - last.at < FORGIVEN_AFTER;
    const delay = again ? Math.min(Math.max(last.delay * 2, FIRST_DELAY), LONGEST_DELAY) : 0;
    this.#unhealthy.set(id, { at: now + delay, delay });
    try {
      await this.#context.clock.sleep(delay, this.#closing.signal);
    } catch {
      // The daemon ends; the next one finds the container unhealthy.
      return;
    }
    const container = this.#context.store.view((tx) => tx.get(containerKind, id));
    // Stopped, or started anew by somebody else meanwhile: it is no longer ours to restart.
    if (!container || !hasProcess(container) || container.status.stoppedByUser) return;
    if (container.status.startedAt === status.startedAt && container.status.health?.status === "unhealthy") {
      await restart();
    }
  }

  planned(id: string): boolean {
    return this.#timers.has(id);
  }

  /** Gives up a planned restart; true when there was one. */
  cancel(id: string): boolean {
    const timer = this.#timers.get(id);
    clearTimeout(timer);
    this.#timers.delete(id);
    this.#lastDelay.delete(id);
    return timer !== undefined;
  }

  /** The container goes: nothing is kept of it. */
  forget(id: string): void {
    this.cancel(id);
    this.#unhealthy.delete(id);
  }

  close(): void {
    this.#closing.abort();
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }

  #decide(container: Container) {
    return restartDecision({
      policy: container.spec.hostConfig.RestartPolicy,
      status: container.status,
      previousDelay: this.#lastDelay.get(container.id),
    });
  }

  /** A restart that fails to start ends the tries, as in Docker: the error stands in the container's status. */
  async #failed(id: string, failure: unknown): Promise<void> {
    const error = toHavreError(failure);
    this.#context.log.warn("restart failed", { container: id, error });
    const given = await setStatus(this.#context, id, (status) =>
      status.state === "restarting" ? { ...status, state: "exited" } : status,
    );
    if (given) this.#context.waiters.exited(id, { code: given.status.exitCode, error: error.message });
  }
}
