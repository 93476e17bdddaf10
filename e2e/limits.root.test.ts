/** Limits as the container itself sees and feels them, on cgroup version 1 and 2. */
import { describe, expect, test } from "bun:test";
import { until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);
const MIB = 1024 * 1024;

/** The first of these files that the container has: version 1's name, then version 2's. */
const read = (...files: string[]): string =>
  `cat ${files.map((file) => `/sys/fs/cgroup/${file}`).join(" ")} 2>/dev/null | head -1`;
const limited = (script: string, ...flags: string[]): Promise<string> =>
  ok(["run", "--rm", "--net", "none", ...flags, "bb", "sh", "-c", script]);

describe("memory", () => {
  test("limit, swap and reservation", async () => {
    const flags = ["--memory", "64m", "--memory-swap", "96m", "--memory-reservation", "32m"];
    expect(await limited(read("memory/memory.limit_in_bytes", "memory.max"), ...flags)).toBe(String(64 * MIB));
    expect(await limited(read("memory/memory.soft_limit_in_bytes", "memory.low"), ...flags)).toBe(String(32 * MIB));
    expect([String(96 * MIB), String(32 * MIB), ""]).toContain(
      await limited(read("memory/memory.memsw.limit_in_bytes", "memory.swap.max"), ...flags),
    );
  });

  test("going over it is an OOM kill, reported", async () => {
    const since = (Date.now() / 1000).toFixed(3);
    const flags = ["--name", "e2e-oom", "--memory", "16m", "--memory-swap", "16m", "--net", "none"];
    const outcome = await docker(["run", ...flags, "bb", "sh", "-c", "x=a; while :; do x=$x$x; done"]);
    expect(outcome.code).toBe(137);
    expect(await ok(["inspect", "-f", "{{.State.OOMKilled}} {{.State.ExitCode}}", "e2e-oom"])).toBe("true 137");
    const events = [
      "events",
      "--since",
      since,
      "--until",
      (Date.now() / 1000).toFixed(3),
      "--filter",
      "container=e2e-oom",
    ];
    expect((await ok([...events, "--format", "{{.Action}}"])).split("\n")).toContain("oom");
  });

  test("--oom-score-adj", async () => {
    expect(await limited("cat /proc/self/oom_score_adj", "--oom-score-adj", "700")).toBe("700");
  });
});

describe("processor", () => {
  test("--cpus, quota and period, shares", async () => {
    const quota = read("cpu/cpu.cfs_quota_us", "cpu.max");
    expect(await limited(quota, "--cpus", "0.5")).toMatch(/^50000( 100000)?$/);
    expect(await limited(quota, "--cpu-quota", "20000", "--cpu-period", "40000")).toMatch(/^20000( 40000)?$/);
    expect(["512", "20"]).toContain(await limited(read("cpu/cpu.shares", "cpu.weight"), "--cpu-shares", "512"));
  });

  test("a busy loop gets what it may, not more", async () => {
    const script = "timeout 1 sh -c 'while :; do :; done'; cat /proc/self/stat | cut -d' ' -f16,17";
    const [user = 0, system = 0] = (await limited(script, "--cpus", "0.25")).split(" ").map(Number);
    expect((user + system) / 100).toBeLessThan(0.45);
  });

  test("--cpuset-cpus", async () => {
    expect(await limited("grep Cpus_allowed_list /proc/self/status | cut -f2", "--cpuset-cpus", "0")).toBe("0");
    const refused = await docker(["run", "--rm", "--cpuset-cpus", "4000", "bb", "true"]);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain("Requested CPUs are not available");
  });
});

describe("processes, files and devices", () => {
  test("--pids-limit stops a fork bomb in its container", async () => {
    const outcome = await docker([
      "run",
      "--rm",
      "--net",
      "none",
      "--pids-limit",
      "20",
      "bb",
      "sh",
      "-c",
      "for i in $(seq 40); do sleep 5 & done; echo made them all",
    ]);
    expect(outcome.stdout).not.toContain("made them all");
    expect(outcome.stderr).toContain("can't fork");
  });

  test("ulimits", async () => {
    expect(await limited("ulimit -n; ulimit -Hn; ulimit -c", "--ulimit", "nofile=100:200", "--ulimit", "core=0")).toBe(
      "100\n200\n0",
    );
    expect((await docker(["run", "--rm", "--ulimit", "nofile=200:100", "bb", "true"])).code).toBe(125);
  });

  test("devices not given cannot be opened, even when made", async () => {
    const script = "mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg 2>&1 | head -1";
    expect(await limited(script)).toContain("Operation not permitted");
    expect(
      await limited(
        "head -c1 /dev/kmsg >/dev/null && echo read",
        "--device",
        "/dev/kmsg:/dev/kmsg:r",
        "--cap-add",
        "SYSLOG",
      ),
    ).toBe("read");
    expect(
      await limited("mknod /tmp/zero c 1 5 && head -c 3 /tmp/zero | wc -c", "--device-cgroup-rule", "c 1:5 rmw"),
    ).toBe("3");
  });
});

describe("what is told of them", () => {
  test("stats counts what the container uses", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-busy",
      "--memory",
      "64m",
      "bb",
      "sh",
      "-c",
      "head -c 8m /dev/zero > /dev/shm/x; while :; do :; done",
    ]);
    const sample = async (): Promise<Stats> =>
      (await (await engine.api("GET", "/containers/e2e-busy/stats?stream=false&one-shot=true")).json()) as Stats;
    const busy = await until("it has worked", async () => {
      const stats = await sample();
      return stats.cpu_stats.cpu_usage.total_usage > 200_000_000 && stats.memory_stats.usage > 8 * MIB && stats;
    });
    expect(busy.memory_stats.limit).toBe(64 * MIB);
    expect(busy.pids_stats.current).toBeGreaterThanOrEqual(1);
    expect(Object.keys(busy.networks)).toEqual(["eth0"]);
    expect(await ok(["stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", "e2e-busy"])).toMatch(
      /^e2e-busy [\d.]+MiB \/ 64MiB$/,
    );
  });

  test("top lists processes with the host's ids and the columns asked for", async () => {
    await ok(["run", "-d", "--name", "e2e-top", "bb", "sh", "-c", "sleep 1000 & exec sleep 2000"]);
    const pid = await ok(["inspect", "-f", "{{.State.Pid}}", "e2e-top"]);
    const lines = await until("both run", async () => {
      const top = (await ok(["top", "e2e-top", "-o", "pid,args"])).split("\n");
      return top.length === 3 && top.every((line) => !line.includes("sh -c")) && top;
    });
    expect(lines[0]).toMatch(/^PID +COMMAND$/);
    expect(lines.some((line) => line.trim().startsWith(`${pid} `) && line.includes("sleep 2000"))).toBe(true);
  });
});

interface Stats {
  readonly cpu_stats: { readonly cpu_usage: { readonly total_usage: number } };
  readonly memory_stats: { readonly usage: number; readonly limit: number };
  readonly pids_stats: { readonly current: number };
  readonly networks: Readonly<Record<string, unknown>>;
}
