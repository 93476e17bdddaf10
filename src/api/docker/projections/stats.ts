import { rfc3339Nano } from "../../../base/mod.ts";
import type { StatsSample } from "../../../engine/mod.ts";
import type { CgroupStats, InterfaceCounters } from "../../../runtime/mod.ts";

const BLKIO_V1 = [
  "io_service_bytes_recursive",
  "io_serviced_recursive",
  "io_queue_recursive",
  "io_service_time_recursive",
  "io_wait_time_recursive",
  "io_merged_recursive",
  "io_time_recursive",
  "sectors_recursive",
] as const;

function blkioView(stats: CgroupStats | undefined) {
  const empty = stats?.version === 1 ? [] : null;
  return Object.fromEntries(
    BLKIO_V1.map((name) => [name, stats?.blkio[name] ?? (name === BLKIO_V1[0] && stats ? [] : empty)]),
  );
}

function cpuView(stats: CgroupStats | undefined, system: number, onlineCpus: number) {
  const cpu = stats?.cpu;
  return {
    cpu_usage: {
      total_usage: cpu?.total ?? 0,
      // Version 2 does not count by processor.
      ...(stats?.version === 1 && cpu && cpu.perCpu.length > 0 ? { percpu_usage: cpu.perCpu } : {}),
      usage_in_kernelmode: cpu?.kernel ?? 0,
      usage_in_usermode: cpu?.user ?? 0,
    },
    ...(stats && system > 0 ? { system_cpu_usage: system } : {}),
    ...(stats && onlineCpus > 0 ? { online_cpus: onlineCpus } : {}),
    throttling_data: {
      periods: cpu?.periods ?? 0,
      throttled_periods: cpu?.throttledPeriods ?? 0,
      throttled_time: cpu?.throttledTime ?? 0,
    },
  };
}

function memoryView(stats: CgroupStats | undefined, hostMemory: number) {
  if (!stats) return {};
  const { usage, maxUsage, failCount, stat, limit } = stats.memory;
  const peak = stats.version === 1 ? { ...(maxUsage ? { max_usage: maxUsage } : {}) } : {};
  return {
    ...(usage ? { usage } : {}),
    ...peak,
    stats: stat,
    ...(stats.version === 1 && failCount ? { failcnt: failCount } : {}),
    // No limit means all that the host has.
    limit: limit > 0 && limit < hostMemory ? limit : hostMemory,
  };
}

function pidsView(stats: CgroupStats | undefined) {
  if (!stats) return {};
  const { current, limit } = stats.pids;
  return { ...(current ? { current } : {}), ...(limit > 0 ? { limit } : {}) };
}

function interfaceView(counters: InterfaceCounters) {
  return {
    rx_bytes: counters.rxBytes,
    rx_packets: counters.rxPackets,
    rx_errors: counters.rxErrors,
    rx_dropped: counters.rxDropped,
    tx_bytes: counters.txBytes,
    tx_packets: counters.txPackets,
    tx_errors: counters.txErrors,
    tx_dropped: counters.txDropped,
  };
}

/** One sample of `GET /containers/{id}/stats`, as dockerd shapes it on this version of control groups. */
export function statsView(sample: StatsSample, hostMemory: number) {
  const { current, previous } = sample;
  const networks = Object.entries(sample.networks).map(([name, counters]) => [name, interfaceView(counters)] as const);
  return {
    read: rfc3339Nano(sample.read),
    preread: rfc3339Nano(sample.previousRead),
    pids_stats: pidsView(current),
    blkio_stats: blkioView(current),
    num_procs: 0,
    storage_stats: {},
    cpu_stats: cpuView(current, sample.systemCpuUsage, sample.onlineCpus),
    precpu_stats: cpuView(previous, sample.previousSystemCpuUsage, sample.onlineCpus),
    memory_stats: memoryView(current, hostMemory),
    name: `/${sample.name}`,
    id: sample.containerId,
    ...(networks.length > 0 ? { networks: Object.fromEntries(networks) } : {}),
  };
}
