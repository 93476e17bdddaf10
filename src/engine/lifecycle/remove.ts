import { rm } from "node:fs/promises";
import { HavreError, runAll } from "../../base/mod.ts";
import { anonymousVolumes, type Container, containerKind } from "../container.ts";
import { bundleFolder, containerFolder, type EngineContext, setStatus } from "../context.ts";
import type { RemovedLogs } from "../logs/removed.ts";
import { hasProcess } from "../lookup.ts";
import { killProcess } from "./stop.ts";

/** Refuses to remove what runs, with Docker's text. */
export function requireRemovable(container: Container, force: boolean): void {
  if (force || !(hasProcess(container) || container.status.state === "restarting")) return;
  const { state } = container.status;
  const how = state === "paused" ? "unpause and then stop the container" : "stop the container";
  throw new HavreError(
    "conflict",
    `cannot remove container "/${container.name}": container is ${state}: ${how} before removing or force remove`,
  );
}

/**
 * From here on the container is gone for everyone: its name is free, waiters are told; `volumes`: so are the volumes made
 * for it alone. Its files go by `finishRemoval`, which the next daemon repeats if this one dies.
 */
export async function markRemoved(
  context: EngineContext,
  container: Container,
  { volumes, durable = true }: { readonly volumes: boolean; readonly durable?: boolean },
): Promise<Container | undefined> {
  const removed = await context.store.update(
    (tx) => {
      const now = tx.get(containerKind, container.id);
      if (!now) return undefined;
      const next: Container = { ...now, status: { ...now.status, state: "removing" } };
      tx.put(containerKind, next);
      if (volumes) context.volumes.markRemoved(tx, anonymousVolumes(now.spec));
      return next;
    },
    { durable },
  );
  if (!removed) return undefined;
  context.events.emitContainer(removed, "destroy");
  context.waiters.removed(container.id, { code: removed.status.exitCode });
  return removed;
}

/** Deletes what a removed container leaves, then its object. Repeating it is free of effect. */
export async function finishRemoval(context: EngineContext, logs: RemovedLogs, container: Container): Promise<void> {
  const { id } = container;
  await runAll([
    () => context.ports.forget(id),
    () => context.networks.forget(id),
    () => context.snapshots.remove(id),
    () => context.volumes.finishRemovals(),
    () => rm(bundleFolder(context, id), { recursive: true, force: true }),
    () => logs.keep(container),
    () => rm(containerFolder(context, id), { recursive: true, force: true }),
    () =>
      context.store.update(
        (tx) => {
          tx.delete(containerKind, id);
          context.identities.free(tx, id);
        },
        { durable: false },
      ),
  ]);
}

/** Ends the process if there is one; the caller has checked that this is wanted. */
export async function endForRemoval(context: EngineContext, container: Container): Promise<void> {
  await setStatus(context, container.id, { stoppedByUser: true });
  await killProcess(context, container);
}
