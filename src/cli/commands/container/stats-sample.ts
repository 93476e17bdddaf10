import { shortId } from "../../../base/mod.ts";
import { binarySize, humanSize, percentage } from "../../output/units.ts";
import type { Row } from "../../template/mod.ts";

/** One sample of `GET /containers/{id}/stats`. */
export interface StatsAnswer {
  readonly name?: string;
  readonly id?: string;
  readonly read: string;
  readonly cpu_stats: CpuStats;
  readonly precpu_stats: CpuStats;
  readonly memory_stats: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>>;
  };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes: number; readonly tx_bytes: number }>>;
  readonly blkio_stats: {
    readonly io_service_bytes_recursive?: readonly { readonly op: string; readonly value: number }[] | null;
  };
  readonly pids_stats: { readonly current?: number };
}
interface CpuStats {
  readonly cpu_usage: { readonly total_usage: number; readonly percpu_usage?: readonly number[] | null };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

/** Share of the processors between this sample and the one before it: 100 is one processor. */
export function cpuPercent({ cpu_stats: now, precpu_stats: before }: StatsAnswer): number {
  const used = now.cpu_usage.total_usage - before.cpu_usage.total_usage;
  const passed = (now.system_cpu_usage ?? 0) - (before.system_cpu_usage ?? 0);
  const processors = now.online_cpus || now.cpu_usage.percpu_usage?.length || 0;
  return used > 0 && passed > 0 ? (used / passed) * processors * 100 : 0;
}

/** Memory without the page cache that could be dropped at once (cgroup v1 and v2 name it differently). */
export function memoryUsed({ memory_stats: { usage = 0, stats = {} } }: StatsAnswer): number {
  const inactive = stats.total_inactive_file ?? stats.inactive_file ?? 0;
  return inactive < usage ? usage - inactive : usage;
}

/** A container's latest sample as a row of `stats`; none yet: dashes. */
export function statsRow(asked: string, sample: StatsAnswer | undefined, trunc: boolean): Row {
  const when =
    (show: (sample: StatsAnswer) => string, otherwise = "--") =>
    () =>
      sample ? show(sample) : otherwise;
  const bytes = (sample: StatsAnswer, letter: string) =>
    (sample.blkio_stats.io_service_bytes_recursive ?? [])
      .filter(({ op }) => op.toLowerCase().startsWith(letter))
      .reduce((sum, { value }) => sum + value, 0);
  const net = (sample: StatsAnswer, key: "rx_bytes" | "tx_bytes") =>
    Object.values(sample.networks ?? {}).reduce((sum, counters) => sum + counters[key], 0);
  const limit = (sample: StatsAnswer) => sample.memory_stats.limit ?? 0;
  return {
    BlockIO: when((s) => `${humanSize(bytes(s, "r"), 3)} / ${humanSize(bytes(s, "w"), 3)}`),
    CPUPerc: when((s) => percentage(cpuPercent(s))),
    Container: () => asked,
    ID: () => {
      const id = sample?.id ?? asked;
      return trunc ? shortId(id) : id;
    },
    MemPerc: when((s) => percentage(limit(s) === 0 ? 0 : (memoryUsed(s) / limit(s)) * 100)),
    MemUsage: when((s) => `${binarySize(memoryUsed(s))} / ${binarySize(limit(s))}`, "-- / --"),
    Name: when((s) => (s.name ?? "").replace(/^\//, "") || "--"),
    NetIO: when((s) => `${humanSize(net(s, "rx_bytes"), 3)} / ${humanSize(net(s, "tx_bytes"), 3)}`),
    PIDs: when((s) => String(s.pids_stats.current ?? 0)),
  };
}
