import { toHavreError } from "../../base/mod.ts";
import { type Container, containerKind } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";
import { type HealthPlan, healthPlan } from "./config.ts";
import { runProbe } from "./probe.ts";
import { afterProbe, STARTING, untilNextProbe } from "./verdict.ts";

/** Probes the health of running containers, one timer each; only those that ask for it cost anything. */
export class HealthMonitors {
  readonly #context: EngineContext;
  readonly #onUnhealthy: (container: Container) => void;
  readonly #running = new Map<string, AbortController>();

  /** `onUnhealthy` is called each time a container turns unhealthy. */
  constructor(context: EngineContext, onUnhealthy: (container: Container) => void) {
    this.#context = context;
    this.#onUnhealthy = onUnhealthy;
  }

  /** Begins to probe a container that has just been started, or that outlived the last daemon (`adopted`). */
  async start(container: Container, { adopted }: { readonly adopted: boolean }): Promise<void> {
    const plan = healthPlan(container.spec.config);
    this.stop(container.id);
    if (!plan) return;
    const stop = new AbortController();
    this.#running.set(container.id, stop);
    if (!adopted || !container.status.health) await setStatus(this.#context, container.id, { health: STARTING });
    void this.#monitor(container.id, plan, stop.signal);
  }

  /** Probes no longer; free of effect when the container is not probed. */
  stop(id: string): void {
    this.#running.get(id)?.abort();
    this.#running.delete(id);
  }

  close(): void {
    for (const id of [...this.#running.keys()]) this.stop(id);
  }

  async #monitor(id: string, plan: HealthPlan, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { health = STARTING, startedAt = 0 } = this.#find(id)?.status ?? {};
      try {
        await this.#context.clock.sleep(untilNextProbe(health, plan, this.#context.clock.now(), startedAt), signal);
      } catch {
        // Only an abort ends the sleep early.
        return;
      }
      const container = this.#find(id);
      if (!container) return;
      if (container.status.state !== "running") continue;
      try {
        await this.#probe(container, plan, signal);
      } catch (failure) {
        // A full disk, say: what this check found is lost, the next is made.
        this.#context.log.error("a health check was not recorded", { container: id, error: toHavreError(failure) });
      }
    }
  }

  async #probe(container: Container, plan: HealthPlan, signal: AbortSignal): Promise<void> {
    const probe = await runProbe(this.#context, container, plan);
    if (signal.aborted) return;
    const before = container.status.health ?? STARTING;
    const startedAt = container.status.startedAt ?? 0;
    const now = await setStatus(this.#context, container.id, (status) =>
      status.state === "running"
        ? { ...status, health: afterProbe(status.health ?? STARTING, probe, plan, startedAt) }
        : status,
    );
    const status = now?.status.health?.status;
    if (!now || status === undefined || status === before.status) return;
    this.#context.events.emitContainer(now, `health_status: ${status}`);
    if (status === "unhealthy") this.#onUnhealthy(now);
  }

  #find(id: string): Container | undefined {
    return this.#context.store.view((tx) => tx.get(containerKind, id));
  }
}
