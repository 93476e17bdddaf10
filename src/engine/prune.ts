import { isHavreError } from "../base/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import type { Containers, PruneFilters } from "./engine.ts";
import { hasProcess } from "./lookup.ts";

/** Removes the containers that do not run and fit the filters. */
export async function pruneContainers(
  containers: Pick<Containers, "list" | "remove">,
  snapshots: Snapshotter,
  { until, labels }: PruneFilters,
): Promise<{ readonly removed: readonly string[]; readonly reclaimed: number }> {
  const removed: string[] = [];
  let reclaimed = 0;
  for (const container of containers.list()) {
    if (hasProcess(container) || container.status.state === "restarting") continue;
    if (until !== undefined && container.created >= until) continue;
    if (!matchesLabels(container.spec.config.Labels, labels)) continue;
    try {
      const { size } = await snapshots.usage(container.id);
      await containers.remove(container.id, { force: false, volumes: false });
      removed.push(container.id);
      reclaimed += size;
    } catch (error) {
      // Started or removed by somebody else meanwhile.
      if (!isHavreError(error, "conflict") && !isHavreError(error, "not-found")) throw error;
    }
  }
  return { removed, reclaimed };
}

/** Whether `labels` fit every filter: `key`, `key=value`, or either negated by a leading `!` (`label!`). */
export function matchesLabels(labels: Readonly<Record<string, string>>, filters: readonly string[]): boolean {
  return filters.every((filter) => {
    const negated = filter.startsWith("!");
    const [key = "", ...rest] = (negated ? filter.slice(1) : filter).split("=");
    const value = rest.length === 0 ? undefined : rest.join("=");
    const has = Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
    return has !== negated;
  });
}
