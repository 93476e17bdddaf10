import { mkdir, readdir } from "node:fs/promises";
import { toHavreError } from "../../base/mod.ts";
import { type Container, type ContainerStatus, containerKind, volumesOf } from "../container.ts";
import type { ContainerLifecycle } from "../containers.ts";
import { bundleFolder, containerFolder, type EngineContext, runtimeName, setStatus } from "../context.ts";
import { hasProcess } from "../lookup.ts";
import { settlePorts } from "../networking/publish.ts";
import { releaseProcess } from "./exit.ts";
import { renameOnNetworks } from "./rename.ts";

/** Docker's code for a container whose end nobody saw. */
const UNKNOWN_EXIT = 255;

/**
 * Brings the store and the kernel together after a start, whatever the last daemon was doing when it died: containers
 * that still run are taken over, ends that were recorded meanwhile are applied, half-made starts and removals are
 * undone or finished, and restart policies are applied.
 */
export async function recoverContainers(context: EngineContext, lifecycle: ContainerLifecycle): Promise<void> {
  context.mapped.recover();
  await context.runtime.recover();
  context.volumes.adopt(heldVolumes(context.store.view((tx) => tx.list(containerKind))));
  for (const container of context.store.view((tx) => tx.list(containerKind))) {
    try {
      // Ends that were recorded meanwhile are being applied: afterwards what they left is to be seen.
      await context.locks.run(container.id, () => recoverOne(context, lifecycle, container.id));
      await context.locks.run(container.id, async () => {});
    } catch (failure) {
      context.log.error("recovery failed", { container: container.id, error: toHavreError(failure) });
    }
  }
  const containers = context.store.view((tx) => tx.list(containerKind));
  await context.volumes.recover(heldVolumes(containers));
  await removeStrayBundles(context, new Set(containers.map(({ id }) => id)));
  await removeStrayLayers(context, new Set(containers.map(({ id }) => id)));
  await context.networks.recover(
    new Map(containers.map((one) => [one.id, hasProcess(one) ? one.status.init?.pid : undefined])),
  );
  await settleNetworks(context, containers);
  await context.ports.recover(
    new Set(containers.map(({ id }) => id)),
    new Set(containers.filter(hasProcess).map(({ id }) => id)),
  );
  for (const container of containers.filter(hasProcess)) await settlePorts(context, container);
  for (const container of containers) {
    await startQuietly(context, lifecycle, container);
  }
}

async function recoverOne(context: EngineContext, lifecycle: ContainerLifecycle, id: string): Promise<void> {
  const container = context.store.view((tx) => tx.get(containerKind, id));
  if (!container) return;
  if (container.status.state === "removing") {
    await releaseProcess(context, container);
    lifecycle.resumeRemoval(container);
    return;
  }
  const seen = await context.runtime.observe(id, runtimeName(context, container), bundleFolder(context, id));
  if (seen.status === "running" || seen.status === "paused") {
    // Frozen with no pause on record: a commit, or a pause nobody was told of, that was cut off.
    const cutOff = seen.status === "paused" && container.status.state !== "paused";
    if (cutOff) await context.runtime.resume(id, runtimeName(context, container));
    const state = cutOff ? "running" : seen.status;
    const now = await setStatus(context, id, (status) => ({
      ...status,
      state,
      ...seen.processes,
      ...(hasProcess(container) ? {} : begunUnseen(context, container, seen.processes?.init.pid)),
    }));
    if (now) await lifecycle.adopt(now);
    return;
  }
  if (hasProcess(container)) {
    const { init } = container.status;
    lifecycle.exited(context.runtime.recordedExit(id) ?? { id, init, code: UNKNOWN_EXIT, at: context.clock.now() });
    return;
  }
  if (seen.status !== "absent") await releaseProcess(context, container);
  // A copy may have mounted it.
  else await context.trees.release(id);
  if (container.spec.hostConfig.AutoRemove) {
    // Nobody is left to start it, or to remove it when it has ended (Docker's).
    lifecycle.removeAbandoned(container);
    return;
  }
  await mkdir(containerFolder(context, id), { recursive: true, mode: 0o700 });
  if (!context.snapshots.keys().includes(id)) await context.snapshots.prepare(id, container.spec.chainId);
}

/** Finishes or undoes connecting, disconnecting and renaming that was cut off: what is not asked for goes. */
async function settleNetworks(context: EngineContext, containers: readonly Container[]): Promise<void> {
  for (const container of containers) {
    const { id, spec, status } = container;
    const endpoints = context.networks.endpointsOf(id);
    const unasked = endpoints.filter(({ networkName }) => !Object.hasOwn(spec.endpoints, networkName));
    for (const { networkId } of unasked) await context.networks.disconnect(id, networkId);
    await renameOnNetworks(context, container);
    const left = context.networks.endpointsOf(id);
    if (JSON.stringify(left) !== JSON.stringify(status.endpoints)) await setStatus(context, id, { endpoints: left });
  }
}

/** Which containers that run have which volumes mounted. */
function heldVolumes(containers: readonly Container[]): ReadonlyMap<string, readonly string[]> {
  const held = new Map<string, string[]>();
  for (const container of containers.filter(hasProcess))
    for (const name of volumesOf(container)) held.set(name, [...(held.get(name) ?? []), container.id]);
  return held;
}

/** What a start would have recorded, had the daemon lived. */
function begunUnseen(
  context: EngineContext,
  { id, spec }: Container,
  pid: number | undefined,
): Partial<ContainerStatus> {
  const endpoints = context.networks.endpointsOf(id);
  const hasNamespace = pid !== undefined && spec.hostConfig.NetworkMode !== "host";
  return {
    startedAt: context.clock.now(),
    exitCode: 0,
    error: "",
    oomKilled: false,
    stoppedByUser: false,
    endpoints,
    ports: context.ports.of(id),
    ...(hasNamespace ? { namespacePath: `/proc/${pid}/ns/net` } : {}),
  };
}

/** Bundles of containers that are not there: a create or removal that was cut off. */
async function removeStrayBundles(context: EngineContext, known: ReadonlySet<string>): Promise<void> {
  for (const id of await readdir(context.config.paths.bundles)) {
    if (known.has(id)) continue;
    await context.runtime.delete(id, context.config.defaultRuntime, bundleFolder(context, id), true);
  }
}

async function removeStrayLayers(context: EngineContext, known: ReadonlySet<string>): Promise<void> {
  for (const key of context.snapshots.keys()) if (!known.has(key)) await context.snapshots.remove(key);
}

/** A container that cannot be started now is the container's failure, not the daemon's. */
async function startQuietly(
  context: EngineContext,
  lifecycle: ContainerLifecycle,
  container: Container,
): Promise<void> {
  try {
    await lifecycle.startWithDaemon(container.id);
  } catch (failure) {
    context.log.warn("restart with the daemon failed", { container: container.id, error: toHavreError(failure) });
  }
}
