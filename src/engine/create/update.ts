import { HavreError } from "../../base/mod.ts";
import type { HostConfig, Resources } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import type { UpdateRequest } from "../engine.ts";
import type { HostFacts } from "../host-facts.ts";
import { checkRestartPolicy } from "./host-config.ts";
import { checkResources } from "./resources.ts";

/** What an update may change (Docker's list); 0, "" and null leave a value as it is. */
const UPDATABLE = [
  "BlkioWeight",
  "CpuShares",
  "NanoCpus",
  "CpuPeriod",
  "CpuQuota",
  "CpuRealtimePeriod",
  "CpuRealtimeRuntime",
  "CpusetCpus",
  "CpusetMems",
  "Memory",
  "MemorySwap",
  "MemoryReservation",
  "KernelMemory",
] as const satisfies readonly (keyof Resources)[];

export interface CheckedUpdate {
  /** The host configuration after the update. */
  readonly hostConfig: HostConfig;
  /** The limits that change, alone: what a running container's cgroup is told. */
  readonly change: Partial<Resources>;
  readonly warnings: readonly string[];
}

function conflict(container: Container, message: string): HavreError {
  return new HavreError("conflict", `Cannot update container ${container.id}: ${message}`);
}

/** CPUs as a number and as period with quota are two ways to say one thing: one container keeps to one. */
function checkConflicts(container: Container, change: Partial<Resources>): void {
  const now = container.spec.hostConfig;
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, Memory = 0, MemorySwap = 0 } = change;
  const clashes: readonly (readonly [boolean, string])[] = [
    [NanoCpus > 0 && now.CpuPeriod > 0, "Nano CPUs cannot be updated as CPU Period has already been set"],
    [NanoCpus > 0 && now.CpuQuota > 0, "Nano CPUs cannot be updated as CPU Quota has already been set"],
    [CpuPeriod > 0 && now.NanoCpus > 0, "CPU Period cannot be updated as NanoCPUs has already been set"],
    [CpuQuota > 0 && now.NanoCpus > 0, "CPU Quota cannot be updated as NanoCPUs has already been set"],
  ];
  for (const [clash, text] of clashes) if (clash) throw conflict(container, `Conflicting options: ${text}`);
  if (Memory !== 0 && Memory > now.MemorySwap && MemorySwap === 0)
    throw conflict(
      container,
      "Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
    );
}

/**
 * Checks an update and says what it comes to. `invalid-argument` or `conflict` in Docker's words; nothing is changed.
 */
export function validateUpdate(
  container: Container,
  request: Omit<UpdateRequest, "Labels">,
  host: HostFacts,
): CheckedUpdate {
  const { RestartPolicy, ...limits } = request;
  const named = RestartPolicy !== undefined && RestartPolicy.Name !== "";
  if (named) checkRestartPolicy(RestartPolicy);
  const { resources, warnings } = checkResources(limits, host, true);
  const change: Record<string, unknown> = {};
  for (const key of UPDATABLE) if (resources[key]) change[key] = resources[key];
  // Null says nothing, 0 and below take the limit away.
  if (resources.PidsLimit !== null && resources.PidsLimit !== undefined)
    change.PidsLimit = Math.max(0, resources.PidsLimit);
  checkConflicts(container, change);
  const now = container.spec.hostConfig;
  if (named && now.AutoRemove && RestartPolicy.Name !== "no")
    throw conflict(container, "Restart policy cannot be updated because AutoRemove is enabled for the container");
  return {
    hostConfig: { ...now, ...change, ...(named ? { RestartPolicy } : {}) },
    change: change as Partial<Resources>,
    warnings,
  };
}
