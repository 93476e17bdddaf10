import type { Resources } from "../../spec/mod.ts";
import type { HostFacts } from "../host-facts.ts";
import { idsAvailable } from "./id-list.ts";
import { refuse } from "./refuse.ts";

/** Bytes. Below this nothing useful runs (Docker's floor, not the kernel's). */
const LEAST_MEMORY = 6 * 1024 * 1024;

export interface CheckedResources<T> {
  /** What can be held on this host: the rest is taken out, with a warning. */
  readonly resources: T;
  readonly warnings: readonly string[];
}

type Change = { -readonly [K in keyof Resources]?: Resources[K] };

/** One family of limits: may take values out of `resources`, warn, or throw. */
type Check = (resources: Change, host: HostFacts, warn: (text: string) => void, update: boolean) => void;

/** A limit this kernel cannot hold is dropped with Docker's warning. */
function discard(warn: (text: string) => void, what: string): void {
  warn(`Your kernel does not support ${what}`);
}

const memory: Check = (resources, host, warn, update) => {
  const { supports } = host;
  const limit = resources.Memory ?? 0;
  if (limit !== 0 && limit < LEAST_MEMORY) throw refuse("Minimum memory limit allowed is 6MB");
  if (limit > 0 && !supports.memory) {
    discard(warn, "memory limit capabilities or the cgroup is not mounted. Limitation discarded.");
    resources.Memory = 0;
    resources.MemorySwap = -1;
  }
  if ((resources.Memory ?? 0) > 0 && resources.MemorySwap !== -1 && !supports.swap) {
    discard(warn, "swap limit capabilities or the cgroup is not mounted. Memory limited without swap.");
    resources.MemorySwap = -1;
  }
  const swap = resources.MemorySwap ?? 0;
  const kept = resources.Memory ?? 0;
  if (kept > 0 && swap > 0 && swap < kept)
    throw refuse("Minimum memoryswap limit should be larger than memory limit, see usage");
  if (kept === 0 && swap > 0 && !update)
    throw refuse("You should always set the Memory limit when using Memoryswap limit, see usage");
};

const reservation: Check = (resources, { supports }, warn) => {
  if ((resources.MemoryReservation ?? 0) > 0 && !supports.memoryReservation) {
    discard(warn, "memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.");
    resources.MemoryReservation = 0;
  }
  const wanted = resources.MemoryReservation ?? 0;
  const limit = resources.Memory ?? 0;
  if (wanted > 0 && wanted < LEAST_MEMORY) throw refuse("Minimum memory reservation allowed is 6MB");
  if (limit > 0 && wanted > 0 && limit < wanted)
    throw refuse("Minimum memory limit can not be less than memory reservation limit, see usage");
};

const swappiness: Check = (resources, { supports }, warn) => {
  // -1 is how old clients say "not given".
  if (resources.MemorySwappiness === -1) resources.MemorySwappiness = null;
  if (resources.MemorySwappiness === null || resources.MemorySwappiness === undefined) return;
  if (!supports.swappiness) {
    discard(warn, "memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.");
    resources.MemorySwappiness = null;
    return;
  }
  const value = resources.MemorySwappiness;
  if (value < 0 || value > 100) throw refuse(`Invalid value: ${value}, valid memory swappiness range is 0-100`);
};

const kernelMemory: Check = (resources, { supports }, warn) => {
  const wanted = resources.KernelMemory ?? 0;
  if (wanted <= 0) return;
  if (!supports.kernelMemory) {
    discard(warn, "kernel memory limit capabilities or the cgroup is not mounted. Limitation discarded.");
    resources.KernelMemory = 0;
  } else if (wanted < LEAST_MEMORY) throw refuse("Minimum kernel memory limit allowed is 6MB");
};

const outOfMemory: Check = (resources, { supports }, warn) => {
  if (resources.OomKillDisable === null || resources.OomKillDisable === undefined) return;
  if (!supports.oomKillDisable) {
    if (resources.OomKillDisable) discard(warn, "OomKillDisable. OomKillDisable discarded.");
    resources.OomKillDisable = null;
  } else if (resources.OomKillDisable && !resources.Memory)
    warn(
      "OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.",
    );
};

const processes: Check = (resources, { supports }, warn) => {
  const wanted = resources.PidsLimit;
  if (wanted === null || wanted === undefined || supports.pids) return;
  if (wanted > 0) discard(warn, "PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.");
  resources.PidsLimit = null;
};

const cpu: Check = (resources, { supports, onlineCpus }, warn) => {
  const { NanoCpus: nano = 0, CpuPeriod: period = 0, CpuQuota: quota = 0, CpuShares: shares = 0 } = resources;
  if (nano > 0 && period > 0) throw refuse("Conflicting options: Nano CPUs and CPU Period cannot both be set");
  if (nano > 0 && quota > 0) throw refuse("Conflicting options: Nano CPUs and CPU Quota cannot both be set");
  if (nano > 0 && !supports.cpuCfs)
    throw refuse(
      "NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted",
    );
  if (nano < 0 || nano > onlineCpus * 1e9)
    throw refuse(`Range of CPUs is from 0.01 to ${onlineCpus}.00, as there are only ${onlineCpus} CPUs available`);
  if (shares > 0 && !supports.cpuShares) {
    discard(warn, "CPU shares or the cgroup is not mounted. Shares discarded.");
    resources.CpuShares = 0;
  }
  if ((period !== 0 || quota !== 0) && !supports.cpuCfs) {
    discard(warn, "CPU CFS scheduler. CPU period/quota discarded.");
    resources.CpuPeriod = 0;
    resources.CpuQuota = 0;
    return;
  }
  if (period !== 0 && (period < 1000 || period > 1_000_000))
    throw refuse("CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)");
  if (quota > 0 && quota < 1000) throw refuse("CPU cfs quota can not be less than 1ms (i.e. 1000)");
};

const realtime: Check = ({ CpuRealtimePeriod: period = 0, CpuRealtimeRuntime: runtime = 0 }, { supports }) => {
  if ((period !== 0 || runtime !== 0) && !supports.cpuRealtime)
    throw refuse("Your kernel does not support CPU real-time scheduler");
  if (period !== 0 && runtime > period)
    throw refuse("cpu real-time runtime cannot be higher than cpu real-time period");
};

function checkIds(wanted: string, available: string, what: string, request: string): void {
  let there: boolean;
  try {
    there = idsAvailable(wanted, available);
  } catch (error) {
    throw refuse(`Invalid value ${wanted} for cpuset ${what}: ${error instanceof Error ? error.message : error}`);
  }
  if (!there) throw refuse(`Requested ${request} are not available - requested ${wanted}, available: ${available}`);
}

const cpuset: Check = (resources, { supports, cpus, mems }, warn) => {
  const { CpusetCpus = "", CpusetMems = "" } = resources;
  if ((CpusetCpus !== "" || CpusetMems !== "") && !supports.cpuset) {
    discard(warn, "cpuset or the cgroup is not mounted. Cpuset discarded.");
    resources.CpusetCpus = "";
    resources.CpusetMems = "";
    return;
  }
  checkIds(CpusetCpus, cpus, "cpus", "CPUs");
  checkIds(CpusetMems, mems, "mems", "memory nodes");
};

const blockIO: Check = (resources, { supports }, warn) => {
  const weight = resources.BlkioWeight ?? 0;
  if (weight > 0 && !supports.blkioWeight) {
    discard(warn, "Block I/O weight or the cgroup is not mounted. Weight discarded.");
    resources.BlkioWeight = 0;
  } else if (weight !== 0 && (weight < 10 || weight > 1000)) throw refuse("Range of blkio weight is from 10 to 1000");
  const lists = [
    ["BlkioWeightDevice", supports.blkioWeightDevice, "Block I/O weight_device", "Weight-device"],
    ["BlkioDeviceReadBps", supports.blkioReadBps, "BPS Block I/O read limit", "Block I/O BPS read limit"],
    ["BlkioDeviceWriteBps", supports.blkioWriteBps, "BPS Block I/O write limit", "Block I/O BPS write limit"],
    ["BlkioDeviceReadIOps", supports.blkioReadIops, "IOPS Block read limit", "Block I/O IOPS read limit"],
    ["BlkioDeviceWriteIOps", supports.blkioWriteIops, "IOPS Block write limit", "Block I/O IOPS write limit"],
  ] as const;
  for (const [key, supported, what, limit] of lists) {
    if (supported || !resources[key]?.length) continue;
    discard(warn, `${what} or the cgroup is not mounted. ${limit} discarded.`);
    resources[key] = [];
  }
};

const windowsOnly: Check = (resources, _host, warn) => {
  if (resources.IOMaximumBandwidth)
    throw refuse("Invalid QoS settings: linux does not support configuration of maximum bandwidth");
  if (resources.IOMaximumIOps)
    throw refuse("Invalid QoS settings: linux does not support configuration of maximum IOPs");
  if (resources.CpuPercent) {
    warn("linux does not support CPU percent. Percent discarded.");
    resources.CpuPercent = 0;
  }
};

const CHECKS: readonly Check[] = [
  windowsOnly,
  realtime,
  memory,
  swappiness,
  reservation,
  kernelMemory,
  outOfMemory,
  processes,
  cpu,
  cpuset,
  blockIO,
];

/**
 * Checks limits against what this host can hold, for a new container or (`update`) a change of one.
 * `invalid-argument` in Docker's words for one that makes no sense.
 */
export function checkResources<T extends Partial<Resources>>(
  given: T,
  host: HostFacts,
  update = false,
): CheckedResources<T> {
  const resources: Change = { ...given };
  const warnings: string[] = [];
  for (const check of CHECKS) check(resources, host, (text) => warnings.push(text), update);
  return { resources: resources as T, warnings };
}
