import { rm } from "node:fs/promises";
import { runAll } from "../../base/mod.ts";
import { type Exit, isSameProcess, observerEnded } from "../../runtime/mod.ts";
import { type Container, type ContainerStatus, containerKind } from "../container.ts";
import { bundleFolder, type EngineContext, runtimeName, setStatus } from "../context.ts";
import { hasProcess } from "../lookup.ts";
import { emitNetworks, networksToTell } from "../networking/mod.ts";
import { observerFolder } from "../observe/observing.ts";
import { unmountVolumes } from "./volumes.ts";

/**
 * Records that a container's process ended and tells everyone who waits. What is to be started again (`restarts`) is
 * `restarting` from here on: nobody may take it for stopped in between. Returns the container as it is now, or undefined
 * when the end was known already, or is not the end of the run on record. What the process leaves is cleaned by `releaseProcess`.
 */
export async function recordExit(
  context: EngineContext,
  exit: Exit,
  restarts: (ended: Container) => boolean,
): Promise<Container | undefined> {
  const before = context.store.view((tx) => tx.get(containerKind, exit.id));
  if (!before || !hasProcess(before) || !isSameProcess(before.status.init, exit.init)) return undefined;
  const networks = networksToTell(context, before);
  const after = await setStatus(context, exit.id, ({ init: _init, supervisor: _supervisor, ...status }) => {
    const ended: ContainerStatus = {
      ...status,
      state: "exited",
      exitCode: exit.code,
      // A file's time comes from the kernel's coarse clock, which lags by some milliseconds.
      finishedAt: Math.max(exit.at, status.startedAt ?? exit.at),
      endpoints: [],
      ports: [],
      ...(status.health === undefined ? {} : { health: { ...status.health, status: "unhealthy" as const } }),
    };
    return restarts({ ...before, status: ended }) ? { ...ended, state: "restarting" } : ended;
  });
  if (!after) return undefined;
  const seconds = Math.max(0, Math.round((exit.at - (before.status.startedAt ?? exit.at)) / 1000));
  context.events.emitContainer(after, "die", { exitCode: String(exit.code), execDuration: String(seconds) });
  emitNetworks(context, networks, "disconnect", exit.id);
  context.waiters.exited(exit.id, { code: exit.code });
  return after;
}

/** Gives back everything a start acquired. Each step is tried; what fails is reported together. */
export async function releaseProcess(context: EngineContext, container: Container): Promise<void> {
  const { id } = container;
  const bundle = bundleFolder(context, id);
  await runAll([
    () => context.runtime.delete(id, runtimeName(context, container), bundle, true),
    () => context.ports.release(id),
    () => context.networks.release(id),
    () => context.trees.release(id),
    () => unmountVolumes(context, container),
    () => observerEnded(observerFolder(context, id)),
    () => rm(bundle, { recursive: true, force: true }),
    () => context.runtime.forgetExit(id),
  ]);
}
