import { type Container, containerKind } from "../container.ts";
import { type EngineContext, runtimeName } from "../context.ts";
import { validateUpdate } from "../create/mod.ts";
import type { UpdateRequest } from "../engine.ts";
import { hasProcess } from "../lookup.ts";
import { buildResourceChange } from "../spec/mod.ts";

/**
 * Changes limits, restart policy or labels of a container that keeps its identity: in the kernel at once when it runs,
 * and for every later start. Nothing changes when the kernel refuses. Call with the container's lock held.
 */
export async function updateContainer(
  context: EngineContext,
  container: Container,
  change: UpdateRequest,
): Promise<{ readonly warnings: readonly string[] }> {
  const { Labels, ...hostChange } = change;
  const { hostConfig, change: limits, warnings } = validateUpdate(container, hostChange, context.host);
  if (hasProcess(container) && Object.keys(limits).length > 0) {
    await context.runtime.update(container.id, runtimeName(context, container), buildResourceChange(limits));
  }
  const updated = await context.store.update((tx) => {
    const now = tx.get(containerKind, container.id);
    if (!now) return undefined;
    const config = Labels === undefined ? now.spec.config : { ...now.spec.config, Labels };
    const next: Container = { ...now, spec: { ...now.spec, config, hostConfig } };
    tx.put(containerKind, next);
    return next;
  });
  if (updated) context.events.emitContainer(updated, "update");
  return { warnings };
}
