import { HavreError, isHavreError, Timeline, toHavreError } from "../base/mod.ts";
import type { Exit } from "../runtime/mod.ts";
import type { Usage } from "../snapshots/mod.ts";
import { type ContainerCreateRequest, parseSignal } from "../spec/mod.ts";
import { type Container, containerKind } from "./container.ts";
import { type EngineContext, runtimeName, setStatus } from "./context.ts";
import type {
  Containers,
  CreateOptions,
  PruneFilters,
  RemoveOptions,
  StartOptions,
  StopOptions,
  UpdateRequest,
  WaitCondition,
  WaitResult,
} from "./engine.ts";
import { HealthMonitors } from "./health/mod.ts";
import { createContainer } from "./lifecycle/create.ts";
import { recordExit, releaseProcess } from "./lifecycle/exit.ts";
import { removeLink } from "./lifecycle/links.ts";
import { endForRemoval, finishRemoval, markRemoved, requireRemovable } from "./lifecycle/remove.ts";
import { renameContainer } from "./lifecycle/rename.ts";
import { Restarts } from "./lifecycle/restarts.ts";
import { startContainer } from "./lifecycle/start.ts";
import { endAll, signalProcess, stopProcess, unfreeze } from "./lifecycle/stop.ts";
import { updateContainer } from "./lifecycle/update.ts";
import type { RemovedLogs } from "./logs/removed.ts";
import { findContainer, getContainer, hasProcess, requireRunning } from "./lookup.ts";
import { pruneContainers } from "./prune.ts";
import { endsRun, startsWithDaemon } from "./restart-policy.ts";
import type { StreamHub } from "./streams/hub.ts";

/** A container with this label set to `true` is restarted when it turns unhealthy. */
const RESTART_UNHEALTHY = "havre.restart-unhealthy";

/** The lifecycle of containers: every change of state goes through here. */
export class ContainerLifecycle implements Containers {
  readonly #context: EngineContext;
  readonly #hub: StreamHub;
  readonly #logs: RemovedLogs;
  readonly #restarts: Restarts;
  readonly #health: HealthMonitors;
  /** Containers whose end is the first half of a restart by hand. */
  readonly #comingBack = new Set<string>();
  /** Work that goes on after its answer; awaited when the daemon closes. */
  readonly #background = new Set<Promise<void>>();

  constructor(context: EngineContext, hub: StreamHub, logs: RemovedLogs) {
    this.#context = context;
    this.#hub = hub;
    this.#logs = logs;
    this.#restarts = new Restarts(context, (id) => this.#restartNow(id));
    this.#health = new HealthMonitors(context, (container) => this.#turnedUnhealthy(container));
  }

  get(ref: string): Container {
    return getContainer(this.#context.store, ref);
  }

  list(): readonly Container[] {
    return this.#context.store
      .view((tx) => tx.list(containerKind))
      .filter((container) => container.status.state !== "removing")
      .sort((a, b) => b.created - a.created);
  }

  async create(
    request: ContainerCreateRequest,
    options: CreateOptions,
  ): Promise<{ readonly id: string; readonly warnings: readonly string[] }> {
    const { container, warnings } = await createContainer(this.#context, request, options);
    return { id: container.id, warnings };
  }

  async start(ref: string, options: StartOptions = {}): Promise<void> {
    const { id } = this.get(ref);
    await this.#locked(id, async (container) => {
      if (container.status.state === "paused") {
        throw new HavreError("conflict", "cannot start a paused container, try unpause instead");
      }
      // One that is restarting counts as running (Docker's).
      if (hasProcess(container) || container.status.state === "restarting") {
        throw new HavreError("not-modified", `container ${id} is already running`);
      }
      await this.#startByHand(container, options.timeline);
    });
  }

  async stop(ref: string, options: StopOptions): Promise<void> {
    const container = await this.#planned(ref);
    if (await this.#giveUpRestart(container)) return;
    if (!hasProcess(container)) {
      throw new HavreError("not-modified", `container ${container.id} is already stopped`);
    }
    await stopProcess(this.#context, container, options);
    await this.#settled(container.id);
    this.#context.events.emitContainer(container, "stop");
  }

  async restart(ref: string, options: StopOptions): Promise<void> {
    const container = this.get(ref);
    this.#restarts.cancel(container.id);
    if (hasProcess(container)) {
      this.#comingBack.add(container.id);
      try {
        await stopProcess(this.#context, container, options);
        await this.#settled(container.id);
      } finally {
        this.#comingBack.delete(container.id);
      }
      this.#context.events.emitContainer(container, "stop");
    }
    await this.#locked(container.id, (now) => this.#startByHand(now));
    this.#context.events.emitContainer(container, "restart");
  }

  /**
   * Stops all that run because the host goes down, each by its own signal and within its own time. Nobody asked for
   * that: the next daemon starts those whose policy wants it.
   */
  async standDown(): Promise<void> {
    this.#restarts.hold();
    await endAll(this.#context, this.list().filter(hasProcess), (id) => this.#settled(id));
  }

  async kill(ref: string, signal?: string): Promise<void> {
    const container = await this.#planned(ref);
    const number = parseSignal(signal ?? "SIGKILL");
    if (await this.#giveUpRestart(container)) return;
    if (!hasProcess(container)) {
      throw new HavreError("conflict", `container ${container.id} is not running`);
    }
    const { config, hostConfig } = container.spec;
    const ends = endsRun(number, config.StopSignal === undefined ? undefined : parseSignal(config.StopSignal));
    // For `unless-stopped` any signal of the user's is a stop.
    if (ends || hostConfig.RestartPolicy.Name === "unless-stopped")
      await setStatus(this.#context, container.id, { stoppedByUser: true }, { durable: true });
    const exited = number === 9 ? this.#context.waiters.next(container.id, "next-exit") : undefined;
    await signalProcess(this.#context, container, number);
    if (ends && container.status.state === "paused") await unfreeze(this.#context, container);
    await exited;
  }

  async pause(ref: string): Promise<void> {
    await this.#locked(this.get(ref).id, async (container) => {
      requireRunning(container);
      if (container.status.state === "paused") {
        throw new HavreError("conflict", `Container ${container.id} is already paused`);
      }
      await this.#context.runtime.pause(container.id, runtimeName(this.#context, container));
      await setStatus(this.#context, container.id, { state: "paused" });
      this.#context.events.emitContainer(container, "pause");
    });
  }

  async unpause(ref: string): Promise<void> {
    await this.#locked(this.get(ref).id, async (container) => {
      if (container.status.state !== "paused") {
        throw new HavreError("conflict", `Container ${container.id} is not paused`);
      }
      await this.#context.runtime.resume(container.id, runtimeName(this.#context, container));
      await setStatus(this.#context, container.id, { state: "running" });
      this.#context.events.emitContainer(container, "unpause");
    });
  }

  rename(ref: string, given: string): Promise<void> {
    return renameContainer(this.#context, this.get(ref), given);
  }

  async update(ref: string, change: UpdateRequest): Promise<{ readonly warnings: readonly string[] }> {
    return this.#locked(this.get(ref).id, (container) => updateContainer(this.#context, container, change));
  }

  async wait(
    ref: string,
    condition: WaitCondition,
    signal?: AbortSignal,
  ): Promise<{ readonly exit: Promise<WaitResult> }> {
    const { id, status } = this.get(ref);
    const running = status.state === "running" || status.state === "paused" || status.state === "restarting";
    if (condition === "not-running" && !running) return { exit: Promise.resolve({ code: status.exitCode }) };
    return { exit: this.#context.waiters.next(id, condition, signal) };
  }

  async remove(ref: string, { force, volumes = false, link }: RemoveOptions): Promise<void> {
    if (link === true) return removeLink(this.#context, ref);
    const { id, spec } = this.get(ref);
    try {
      while (!(await this.#removeOnce(id, { force, volumes })));
    } catch (error) {
      // One that removes itself when it ends may have done so first: what was asked for has happened.
      if (!spec.hostConfig.AutoRemove || !isHavreError(error, "not-found")) throw error;
    }
  }

  prune(filters: PruneFilters): Promise<{ readonly removed: readonly string[]; readonly reclaimed: number }> {
    return pruneContainers(this, this.#context.snapshots, filters);
  }

  async usage(ref: string): Promise<{ readonly writable: Usage; readonly rootSize: number }> {
    const { id, spec } = this.get(ref);
    const writable = await this.#context.snapshots.usage(id);
    const image = spec.imageId === undefined ? undefined : this.#context.images.get(spec.imageId);
    return { writable, rootSize: writable.content + (image?.size ?? 0) };
  }

  /** A container's process ended (told by the runtime). */
  exited(exit: Exit): void {
    this.#inBackground(
      exit.id,
      this.#context.locks.run(exit.id, () => this.#afterExit(exit)),
    );
  }

  /** The kernel killed a process of the container for memory. */
  outOfMemory(id: string): void {
    const record = async () => {
      const container = await setStatus(this.#context, id, { oomKilled: true });
      if (container) this.#context.events.emitContainer(container, "oom");
    };
    this.#inBackground(id, record());
  }

  /** Finishes the removal of a container that a killed daemon had begun. */
  resumeRemoval(container: Container): void {
    this.#inBackground(
      container.id,
      this.#context.locks.run(container.id, () => finishRemoval(this.#context, this.#logs, container)),
    );
  }

  /** Removes a container that the last daemon should have removed. */
  removeAbandoned({ id }: Container): void {
    this.#inBackground(id, this.remove(id, { force: true, volumes: true }));
  }

  /** Takes up probing a container that outlived the last daemon. */
  async adopt(container: Container): Promise<void> {
    await this.#health.start(container, { adopted: true });
    // The last daemon may have been about to restart it.
    if (container.status.health?.status === "unhealthy") this.#turnedUnhealthy(container);
  }

  /**
   * Starts what was stopped or restarting when the last daemon ended, if its policy wants it. Free of effect for what runs,
   * or has its next start planned: other starts take their time, and it may have come to that meanwhile.
   */
  async startWithDaemon(id: string): Promise<void> {
    await this.#context.locks.run(id, async () => {
      const container = findContainer(this.#context.store, id);
      if (!container || this.#restarts.planned(id)) return;
      const { state } = container.status;
      if (state !== "exited" && state !== "restarting") return;
      const policy = container.spec.hostConfig.RestartPolicy;
      if (startsWithDaemon({ policy, status: container.status })) await this.#startByHand(container);
      else if (state === "restarting") await setStatus(this.#context, id, { state: "exited" });
    });
  }

  async close(): Promise<void> {
    this.#restarts.close();
    this.#health.close();
    await Promise.allSettled([...this.#background]);
  }

  /** Its restart policy counts from the beginning again. */
  async #startByHand(container: Container, timeline?: Timeline): Promise<void> {
    this.#restarts.cancel(container.id);
    if (container.status.restartCount > 0) await setStatus(this.#context, container.id, { restartCount: 0 });
    await this.#launch(container, timeline);
  }

  async #launch(container: Container, timeline = new Timeline()): Promise<void> {
    try {
      await startContainer(this.#context, this.#hub, container, timeline);
    } catch (error) {
      if (container.spec.hostConfig.AutoRemove) await this.#removeNow(container, { volumes: true });
      throw error;
    }
    await this.#health.start(this.get(container.id), { adopted: false });
  }

  /** An unhealthy container whose owner asked for it is stopped and started again, later and later if that does not help. */
  #turnedUnhealthy(container: Container): void {
    if (container.spec.config.Labels[RESTART_UNHEALTHY] !== "true") return;
    const streak = container.status.health?.failingStreak ?? 0;
    const reason = `unhealthy after ${streak} failed checks: ${container.status.health?.log.at(-1)?.output.trim() ?? ""}`;
    this.#context.events.emitContainer(container, "restart_unhealthy", { reason });
    this.#context.log.warn("restarting an unhealthy container", { container: container.name, reason });
    this.#inBackground(
      container.id,
      this.#restarts.afterUnhealthy(container, () => this.restart(container.id, {})),
    );
  }

  async #restartNow(id: string): Promise<void> {
    await this.#context.locks.run(id, async () => {
      // It may have been stopped or removed while its turn came.
      const container = findContainer(this.#context.store, id);
      if (container?.status.state !== "restarting") return;
      await setStatus(this.#context, id, (status) => ({ ...status, restartCount: status.restartCount + 1 }));
      await this.#launch(container);
    });
  }

  async #afterExit(exit: Exit): Promise<void> {
    this.#health.stop(exit.id);
    await this.#hub.delivered(exit.id);
    const container = await recordExit(this.#context, exit, (ended) => this.#restarts.wanted(ended));
    if (!container) return;
    const restarting = container.status.state === "restarting";
    if (container.spec.hostConfig.AutoRemove && !restarting && !this.#comingBack.has(exit.id)) {
      this.#forget(exit.id);
      // After a power cut it does not run, and is removed for that.
      const removed = await markRemoved(this.#context, container, { volumes: true, durable: false });
      await this.#release(container);
      if (removed) await finishRemoval(this.#context, this.#logs, removed);
      return;
    }
    await this.#release(container);
    if (restarting) this.#restarts.schedule(container);
  }

  /** What cannot be given back now is logged and tried again by the next start, removal or daemon. */
  async #release(container: Container): Promise<void> {
    try {
      await releaseProcess(this.#context, container);
    } catch (failure) {
      const error = toHavreError(failure);
      this.#context.log.error("clean-up after exit failed", { container: container.id, error });
    }
  }

  /** False when the container has a process again: a start that had the lock first may have given it one. */
  async #removeOnce(id: string, { force, volumes = false }: RemoveOptions): Promise<boolean> {
    const now = this.get(id);
    requireRemovable(now, force);
    this.#restarts.cancel(id);
    if (hasProcess(now)) await endForRemoval(this.#context, now);
    return this.#locked(id, async (container) => {
      requireRemovable(container, force);
      if (hasProcess(container)) return false;
      await this.#removeNow(container, { volumes });
      return true;
    });
  }

  async #removeNow(container: Container, what: { readonly volumes: boolean }): Promise<void> {
    this.#forget(container.id);
    const removed = await markRemoved(this.#context, container, what);
    if (removed) this.#inBackground(container.id, finishRemoval(this.#context, this.#logs, removed));
  }

  /** What only this daemon knows of a container that goes. */
  #forget(id: string): void {
    this.#hub.endSessions(id);
    this.#restarts.forget(id);
  }

  /** Stops a container that waits for its next start; false when it does not. */
  async #giveUpRestart({ id }: Container): Promise<boolean> {
    if (!this.#restarts.cancel(id)) return false;
    const stopped = await setStatus(this.#context, id, { state: "exited", stoppedByUser: true }, { durable: true });
    if (stopped) this.#context.waiters.exited(id, { code: stopped.status.exitCode });
    return true;
  }

  /** Runs `change` on the container as it is once the lock is held. */
  #locked<T>(id: string, change: (container: Container) => Promise<T>): Promise<T> {
    return this.#context.locks.run(id, () => change(this.get(id)));
  }

  /** The container, and if it is restarting, once its next start is planned: what stops it must find the plan. */
  async #planned(ref: string): Promise<Container> {
    const container = this.get(ref);
    if (container.status.state !== "restarting") return container;
    await this.#settled(container.id);
    return this.get(container.id);
  }

  /** Waits until the work after an exit (release, removal) is done. */
  #settled(id: string): Promise<void> {
    return this.#context.locks.run(id, async () => {});
  }

  #inBackground(id: string, work: Promise<void>): void {
    const tracked = work.catch((error) => {
      this.#context.log.error("background work failed", { container: id, error: toHavreError(error) });
    });
    this.#background.add(tracked);
    void tracked.then(() => this.#background.delete(tracked));
  }
}
