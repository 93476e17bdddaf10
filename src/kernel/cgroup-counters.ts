import { totalmem } from "node:os";
import { join } from "node:path";
import { type CgroupHost, readCgroupFile } from "./cgroup.ts";
import type { CgroupStats } from "./cgroup-stats.ts";

type BlockEntries = CgroupStats["blkio"][string];

/** What a cgroup's processes have used, read from whichever tree has each controller; undefined when there is no such cgroup. */
export function readCgroupStats(host: CgroupHost, path: string): CgroupStats | undefined {
  return host.version === 2 ? readUnified(host, path) : readPerController(host, path);
}

/** Processes the kernel has killed in the cgroup for want of memory since it was made (cgroups(7)). */
export function readOomKills(host: CgroupHost, path: string): number {
  const file =
    host.version === 2
      ? join(host.mounts.get("unified") ?? "", path, "memory.events")
      : join(host.mounts.get("memory") ?? "/nonexistent", path, "memory.oom_control");
  return pairs(readCgroupFile(file)).oom_kill ?? 0;
}

function readUnified(host: CgroupHost, path: string): CgroupStats | undefined {
  const folder = join(host.mounts.get("unified") ?? "", path);
  const cpuText = readCgroupFile(join(folder, "cpu.stat"));
  if (cpuText === undefined) return undefined;
  const cpu = pairs(cpuText);
  const nanos = (name: string) => (cpu[name] ?? 0) * 1000;
  const value = (name: string) => amount(readCgroupFile(join(folder, name)));
  const usage = value("memory.current");
  return {
    version: 2,
    cpu: {
      total: nanos("usage_usec"),
      user: nanos("user_usec"),
      kernel: nanos("system_usec"),
      perCpu: [],
      periods: cpu.nr_periods ?? 0,
      throttledPeriods: cpu.nr_throttled ?? 0,
      throttledTime: nanos("throttled_usec"),
    },
    memory: {
      usage,
      maxUsage: value("memory.peak"),
      limit: memoryLimit(readCgroupFile(join(folder, "memory.max"))),
      failCount: pairs(readCgroupFile(join(folder, "memory.events"))).max ?? 0,
      stat: pairs(readCgroupFile(join(folder, "memory.stat"))),
    },
    pids: { current: value("pids.current"), limit: value("pids.max") },
    blkio: unifiedBlockEntries(readCgroupFile(join(folder, "io.stat")) ?? ""),
  };
}

function readPerController(host: CgroupHost, path: string): CgroupStats | undefined {
  const read = (controller: string, name: string) => {
    const mount = host.mounts.get(controller);
    return mount === undefined ? undefined : readCgroupFile(join(mount, path, name));
  };
  const cpuTotal = read("cpuacct", "cpuacct.usage");
  const memoryUsage = read("memory", "memory.usage_in_bytes");
  if (cpuTotal === undefined && memoryUsage === undefined) return undefined;
  // In hundredths of a second (USER_HZ).
  const ticks = pairs(read("cpuacct", "cpuacct.stat"));
  const throttling = pairs(read("cpu", "cpu.stat"));
  const perCpu = read("cpuacct", "cpuacct.usage_percpu") ?? "";
  return {
    version: 1,
    cpu: {
      total: amount(cpuTotal),
      user: (ticks.user ?? 0) * 1e7,
      kernel: (ticks.system ?? 0) * 1e7,
      perCpu: perCpu.split(/\s+/).filter(Boolean).map(Number),
      periods: throttling.nr_periods ?? 0,
      throttledPeriods: throttling.nr_throttled ?? 0,
      throttledTime: throttling.throttled_time ?? 0,
    },
    memory: {
      usage: amount(memoryUsage),
      maxUsage: amount(read("memory", "memory.max_usage_in_bytes")),
      limit: memoryLimit(read("memory", "memory.limit_in_bytes")),
      failCount: amount(read("memory", "memory.failcnt")),
      stat: pairs(read("memory", "memory.stat")),
    },
    pids: { current: amount(read("pids", "pids.current")), limit: amount(read("pids", "pids.max")) },
    blkio: perControllerBlockEntries((name) => read("blkio", name)),
  };
}

/** A single number; `max` and what is not there read as 0. */
function amount(text: string | undefined): number {
  const value = Number(text?.trim() || 0);
  return Number.isNaN(value) ? 0 : value;
}

/** No limit is told as the host's memory, as Docker does. */
function memoryLimit(text: string | undefined): number {
  const limit = amount(text);
  return limit === 0 || limit > totalmem() ? totalmem() : limit;
}

function pairs(text: string | undefined): Record<string, number> {
  const result: Record<string, number> = {};
  for (const line of text?.split("\n") ?? []) {
    const at = line.indexOf(" ");
    if (at > 0) result[line.slice(0, at)] = Number(line.slice(at + 1));
  }
  return result;
}

/** Docker's names of the block counters, and the files that have them with either I/O scheduler. */
const BLOCK_FILES: Readonly<Record<string, readonly string[]>> = {
  io_service_bytes_recursive: ["blkio.throttle.io_service_bytes_recursive", "blkio.throttle.io_service_bytes"],
  io_serviced_recursive: ["blkio.throttle.io_serviced_recursive", "blkio.throttle.io_serviced"],
  io_queue_recursive: ["blkio.io_queued_recursive"],
  io_service_time_recursive: ["blkio.io_service_time_recursive"],
  io_wait_time_recursive: ["blkio.io_wait_time_recursive"],
  io_merged_recursive: ["blkio.io_merged_recursive"],
  io_time_recursive: ["blkio.time_recursive"],
  sectors_recursive: ["blkio.sectors_recursive"],
};

function perControllerBlockEntries(read: (name: string) => string | undefined): CgroupStats["blkio"] {
  const result: Record<string, BlockEntries> = {};
  for (const [name, files] of Object.entries(BLOCK_FILES)) {
    const text = files.map(read).find((found) => found !== undefined) ?? "";
    // `8:0 Read 4096`, or `8:0 4096`; a last line `Total N` has no device.
    result[name] = [...text.matchAll(/^(\d+):(\d+) (?:(\w+) )?(\d+)$/gm)].map(([, major, minor, op = "", value]) => ({
      major: Number(major),
      minor: Number(minor),
      op,
      value: Number(value),
    }));
  }
  return result;
}

function unifiedBlockEntries(text: string): CgroupStats["blkio"] {
  const bytes: BlockEntries[number][] = [];
  const operations: BlockEntries[number][] = [];
  for (const [, major, minor, counters = ""] of text.matchAll(/^(\d+):(\d+) (.*)$/gm)) {
    const device = { major: Number(major), minor: Number(minor) };
    const counter = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(counters)?.[1] ?? 0);
    bytes.push(
      { ...device, op: "read", value: counter("rbytes") },
      { ...device, op: "write", value: counter("wbytes") },
    );
    operations.push(
      { ...device, op: "read", value: counter("rios") },
      { ...device, op: "write", value: counter("wios") },
    );
  }
  return { io_service_bytes_recursive: bytes, io_serviced_recursive: operations };
}
