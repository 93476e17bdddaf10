import { HavreError } from "../../base/mod.ts";
import type { Resources, RuntimeResources, ThrottleDevice, ThrottleRule } from "../../spec/mod.ts";
import { deviceNumber } from "./device-node.ts";

/** CFS period in microseconds that `NanoCpus` is turned into. */
const CPU_PERIOD = 100_000;

function positive<K extends string>(key: K, value: number | undefined): Partial<Record<K, number>> {
  return value !== undefined && value > 0 ? ({ [key]: value } as Record<K, number>) : {};
}
function nonZero<K extends string>(key: K, value: number | undefined): Partial<Record<K, number>> {
  return value ? ({ [key]: value } as Record<K, number>) : {};
}

function memory(resources: Resources): Pick<RuntimeResources, "memory"> {
  const { MemorySwappiness: swappiness, OomKillDisable: disableOOMKiller } = resources;
  const limits = {
    ...positive("limit", resources.Memory),
    ...positive("reservation", resources.MemoryReservation),
    // Unlimited swap (-1) needs no value beside a limit: nothing is written then, as Docker does.
    ...positive("swap", resources.MemorySwap),
    ...(swappiness === null || swappiness < 0 ? {} : { swappiness }),
    ...(disableOOMKiller === null ? {} : { disableOOMKiller }),
  };
  return Object.keys(limits).length === 0 ? {} : { memory: limits };
}

type CpuLimits = Pick<
  Resources,
  | "CpuShares"
  | "NanoCpus"
  | "CpuPeriod"
  | "CpuQuota"
  | "CpuRealtimePeriod"
  | "CpuRealtimeRuntime"
  | "CpusetCpus"
  | "CpusetMems"
>;

const NO_CPU_LIMITS: CpuLimits = {
  CpuShares: 0,
  NanoCpus: 0,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: "",
  CpusetMems: "",
};

function cpu(resources: CpuLimits): Pick<RuntimeResources, "cpu"> {
  if (resources.CpuShares < 0) throw new HavreError("invalid-argument", "shares: invalid argument");
  const fromNano =
    resources.NanoCpus > 0 ? { period: CPU_PERIOD, quota: Math.trunc((resources.NanoCpus * CPU_PERIOD) / 1e9) } : {};
  const limits = {
    ...positive("shares", resources.CpuShares),
    ...fromNano,
    ...nonZero("period", resources.CpuPeriod),
    ...nonZero("quota", resources.CpuQuota),
    ...nonZero("realtimePeriod", resources.CpuRealtimePeriod),
    ...nonZero("realtimeRuntime", resources.CpuRealtimeRuntime),
    ...(resources.CpusetCpus === "" ? {} : { cpus: resources.CpusetCpus }),
    ...(resources.CpusetMems === "" ? {} : { mems: resources.CpusetMems }),
  };
  return Object.keys(limits).length === 0 ? {} : { cpu: limits };
}

function throttles<K extends string>(
  key: K,
  devices: readonly ThrottleDevice[] | null,
): Partial<Record<K, ThrottleRule[]>> {
  if (!devices?.length) return {};
  return { [key]: devices.map(({ Path, Rate }) => ({ ...deviceNumber(Path), rate: Rate })) } as Record<
    K,
    ThrottleRule[]
  >;
}

function blockIO(resources: Resources): Pick<RuntimeResources, "blockIO"> {
  const weights = resources.BlkioWeightDevice?.map(({ Path, Weight }) => ({ ...deviceNumber(Path), weight: Weight }));
  const limits = {
    ...positive("weight", resources.BlkioWeight),
    ...(weights?.length ? { weightDevice: weights } : {}),
    ...throttles("throttleReadBpsDevice", resources.BlkioDeviceReadBps),
    ...throttles("throttleWriteBpsDevice", resources.BlkioDeviceWriteBps),
    ...throttles("throttleReadIOPSDevice", resources.BlkioDeviceReadIOps),
    ...throttles("throttleWriteIOPSDevice", resources.BlkioDeviceWriteIOps),
  };
  return Object.keys(limits).length === 0 ? {} : { blockIO: limits };
}

/** Limits in the runtime's terms, as a new cgroup gets them; devices are separate. */
export function buildResources(resources: Resources): RuntimeResources {
  const { PidsLimit } = resources;
  return {
    ...memory(resources),
    ...cpu(resources),
    ...blockIO(resources),
    // A new cgroup has no limit, and crun cannot write "none" to a version 1 file.
    ...(PidsLimit === null || PidsLimit <= 0 ? {} : { pids: { limit: PidsLimit } }),
  };
}

/** The change of a running container's limits: only what `change` sets; 0 and null leave things as they are. */
export function buildResourceChange(change: Partial<Resources>): RuntimeResources {
  const { PidsLimit, Memory, MemorySwap, MemoryReservation } = change;
  const memoryChange = {
    ...nonZero("limit", Memory),
    ...nonZero("reservation", MemoryReservation),
    ...nonZero("swap", MemorySwap),
  };
  return {
    ...(Object.keys(memoryChange).length > 0 ? { memory: memoryChange } : {}),
    ...cpu({ ...NO_CPU_LIMITS, ...change }),
    ...(change.BlkioWeight ? { blockIO: { weight: change.BlkioWeight } } : {}),
    ...(PidsLimit === undefined || PidsLimit === null ? {} : { pids: { limit: Math.max(0, PidsLimit) } }),
  };
}
