import { HavreError, toHavreError } from "../../base/mod.ts";
import { signalHeard } from "../../runtime/mod.ts";
import { parseSignal } from "../../spec/mod.ts";
import { type Container, containerKind } from "../container.ts";
import { type EngineContext, runtimeName, setStatus } from "../context.ts";
import type { StopOptions } from "../engine.ts";
import { hasProcess } from "../lookup.ts";

/** Seconds before a stop becomes a kill, where neither the user nor the container says (Docker's default). */
const DEFAULT_STOP_TIMEOUT = 10;
const SIGKILL = 9;

/**
 * Asks the process to end and kills it after the timeout. Returns when the exit is recorded. The stop counts as the
 * user's: no restart policy applies. Call without the container's lock: the exit takes it.
 */
export async function stopProcess(context: EngineContext, container: Container, options: StopOptions): Promise<void> {
  await setStatus(context, container.id, { stoppedByUser: true }, { durable: true });
  await endProcess(context, container, options);
}

/** The same without the user's name on it: restart policies go on to apply. */
export async function endProcess(context: EngineContext, container: Container, options: StopOptions): Promise<void> {
  const { config } = container.spec;
  const timeout = options.timeout ?? config.StopTimeout ?? DEFAULT_STOP_TIMEOUT;
  const signal = parseSignal(options.signal ?? config.StopSignal ?? "SIGTERM");
  if (!hasProcess(current(context, container.id) ?? container)) return;
  const exited = exitOf(context, container.id);
  await signalProcess(context, container, signal);
  if (container.status.state === "paused") await unfreeze(context, container);
  if (await settlesWithin(exited, timeout < 0 ? undefined : timeout * 1000)) return;
  await signalProcess(context, container, SIGKILL);
  await exited;
}

/** All at once, each in its own time. One that does not end is told to the log. */
export async function endAll(
  context: EngineContext,
  containers: readonly Container[],
  settled: (id: string) => Promise<unknown>,
): Promise<void> {
  const ending = containers.map(async (container) => {
    await endProcess(context, container, {});
    await settled(container.id);
  });
  for (const result of await Promise.allSettled(ending))
    if (result.status === "rejected")
      context.log.error("a container did not stop", { error: toHavreError(result.reason) });
}

/** Sends a signal; a process that has just gone is no error. */
export async function signalProcess(context: EngineContext, container: Container, signal: number): Promise<void> {
  await untilHeard(context, container, signal);
  try {
    await context.runtime.kill(container.id, runtimeName(context, container), signal);
  } catch (error) {
    if (!(error instanceof HavreError && error.kind === "not-found")) throw error;
  }
  context.events.emitContainer(container, "kill", { signal: String(signal) });
}

/** Milliseconds after its start in which a program is still taken to be setting itself up. */
const SETTING_UP = 250;

/**
 * The first process of a namespace does not get signals that it has no handler for: one that comes while the program is
 * still loading would be lost, and a stop take its whole timeout. So it waits until the handler is there; not for long.
 */
async function untilHeard(context: EngineContext, { id, spec }: Container, signal: number): Promise<void> {
  if (signal === SIGKILL || spec.hostConfig.PidMode !== "") return;
  for (;;) {
    const status = current(context, id)?.status;
    const left = (status?.startedAt ?? 0) + SETTING_UP - context.clock.now();
    if (!status?.init || left <= 0 || left > SETTING_UP || signalHeard(status.init.pid, signal)) return;
    await context.clock.sleep(Math.min(left, 10));
  }
}

/** Kills at once and waits for the recorded exit. */
export async function killProcess(context: EngineContext, container: Container): Promise<void> {
  const now = current(context, container.id);
  if (!now || !hasProcess(now)) return;
  const exited = exitOf(context, container.id);
  await signalProcess(context, now, SIGKILL);
  if (now.status.state === "paused") await unfreeze(context, now);
  await exited;
}

/** Lets a paused container that was sent a signal go on, or die; one that is dead already is no error. */
export async function unfreeze(context: EngineContext, container: Container): Promise<void> {
  try {
    await context.runtime.resume(container.id, runtimeName(context, container));
  } catch (error) {
    if (!(error instanceof HavreError && error.kind === "not-found")) throw error;
  }
}

function current(context: EngineContext, id: string): Container | undefined {
  return context.store.view((tx) => tx.get(containerKind, id));
}

function exitOf(context: EngineContext, id: string): Promise<unknown> {
  return context.waiters.next(id, "next-exit");
}

async function settlesWithin(promise: Promise<unknown>, milliseconds: number | undefined): Promise<boolean> {
  if (milliseconds === undefined) {
    await promise;
    return true;
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
