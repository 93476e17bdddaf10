import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { type CgroupHost, cgroupProcesses } from "./cgroup.ts";
import { readCgroupStats, readOomKills } from "./cgroup-counters.ts";

/** A folder that looks like a mounted cgroup tree. */
class Tree implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "havre-cgroup-"));

  write(files: Readonly<Record<string, string>>): this {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text);
    }
    return this;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

test("version 2: one folder has all", () => {
  using tree = new Tree().write({
    "c/cpu.stat": "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnr_periods 7\nnr_throttled 2\nthrottled_usec 30\n",
    "c/memory.current": "4096\n",
    "c/memory.peak": "8192\n",
    "c/memory.max": "max\n",
    "c/memory.stat": "anon 1024\nfile 2048\n",
    "c/memory.events": "low 0\nhigh 0\nmax 5\noom 1\noom_kill 3\n",
    "c/pids.current": "3\n",
    "c/pids.max": "max\n",
    "c/io.stat": "8:0 rbytes=100 wbytes=200 rios=1 wios=2 dbytes=0 dios=0\n259:1 rbytes=1 wbytes=0 rios=1 wios=0\n",
  });
  const host: CgroupHost = { version: 2, mounts: new Map([["unified", tree.folder]]) };
  expect(readCgroupStats(host, "/c")).toEqual({
    version: 2,
    cpu: {
      total: 1_500_000,
      user: 1_000_000,
      kernel: 500_000,
      perCpu: [],
      periods: 7,
      throttledPeriods: 2,
      throttledTime: 30_000,
    },
    memory: { usage: 4096, maxUsage: 8192, limit: totalmem(), failCount: 5, stat: { anon: 1024, file: 2048 } },
    pids: { current: 3, limit: 0 },
    blkio: {
      io_service_bytes_recursive: [
        { major: 8, minor: 0, op: "read", value: 100 },
        { major: 8, minor: 0, op: "write", value: 200 },
        { major: 259, minor: 1, op: "read", value: 1 },
        { major: 259, minor: 1, op: "write", value: 0 },
      ],
      io_serviced_recursive: [
        { major: 8, minor: 0, op: "read", value: 1 },
        { major: 8, minor: 0, op: "write", value: 2 },
        { major: 259, minor: 1, op: "read", value: 1 },
        { major: 259, minor: 1, op: "write", value: 0 },
      ],
    },
  });
  expect(readOomKills(host, "/c")).toBe(3);
  expect(readCgroupStats(host, "/gone")).toBeUndefined();
  expect(readOomKills(host, "/gone")).toBe(0);
});

test("version 1: each controller has its tree, and one that is missing counts nothing", () => {
  using tree = new Tree().write({
    "cpuacct/c/cpuacct.usage": "1500000\n",
    "cpuacct/c/cpuacct.usage_percpu": "1000000 500000 \n",
    "cpuacct/c/cpuacct.stat": "user 2\nsystem 1\n",
    "cpu/c/cpu.stat": "nr_periods 7\nnr_throttled 2\nthrottled_time 30\n",
    "memory/c/memory.usage_in_bytes": "4096\n",
    "memory/c/memory.max_usage_in_bytes": "8192\n",
    "memory/c/memory.limit_in_bytes": "65536\n",
    "memory/c/memory.failcnt": "4\n",
    "memory/c/memory.stat": "cache 1024\nrss 2048\n",
    "memory/c/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
    "blkio/c/blkio.throttle.io_service_bytes_recursive": "8:0 Read 100\n8:0 Write 200\nTotal 300\n",
  });
  const mounts = ["cpu", "cpuacct", "memory", "blkio"].map((name) => [name, join(tree.folder, name)] as const);
  const host: CgroupHost = { version: 1, mounts: new Map(mounts) };
  const stats = readCgroupStats(host, "/c");
  expect(stats?.cpu).toEqual({
    total: 1_500_000,
    user: 20_000_000,
    kernel: 10_000_000,
    perCpu: [1_000_000, 500_000],
    periods: 7,
    throttledPeriods: 2,
    throttledTime: 30,
  });
  expect(stats?.memory).toEqual({
    usage: 4096,
    maxUsage: 8192,
    limit: 65_536,
    failCount: 4,
    stat: { cache: 1024, rss: 2048 },
  });
  expect(stats?.pids).toEqual({ current: 0, limit: 0 });
  expect(stats?.blkio.io_service_bytes_recursive).toEqual([
    { major: 8, minor: 0, op: "Read", value: 100 },
    { major: 8, minor: 0, op: "Write", value: 200 },
  ]);
  expect(readOomKills(host, "/c")).toBe(2);
});

test("processes are those of the cgroup and of all below it", () => {
  using tree = new Tree().write({ "c/cgroup.procs": "1\n2\n", "c/a/cgroup.procs": "3\n", "c/a/b/cgroup.procs": "4\n" });
  expect(cgroupProcesses(join(tree.folder, "c"))).toEqual([1, 2, 3, 4]);
  expect(cgroupProcesses(join(tree.folder, "gone"))).toEqual([]);
});
