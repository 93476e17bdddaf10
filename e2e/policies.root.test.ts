/** What the engine does of itself: restarts and health checks. */
import { describe, expect, test } from "bun:test";
import { until, useEngine } from "./harness/mod.ts";

const engine = useEngine();
const docker = engine.docker.bind(engine);
const ok = engine.ok.bind(engine);
const told = (ref: string, format: string): Promise<string> => ok(["inspect", "-f", format, ref]);

describe("restart policies", () => {
  test("on-failure: as often as told, then exited; not after success", async () => {
    await ok(["run", "-d", "--restart", "on-failure:2", "--name", "e2e-fail", "bb", "sh", "-c", "echo run; exit 3"]);
    await until(
      "it gave up",
      async () => (await told("e2e-fail", "{{.State.Status}} {{.RestartCount}}")) === "exited 2",
    );
    expect(await ok(["logs", "e2e-fail"])).toBe("run\nrun\nrun");
    expect(await told("e2e-fail", "{{.State.ExitCode}}")).toBe("3");
    await ok(["run", "-d", "--restart", "on-failure:2", "--name", "e2e-fine", "bb", "true"]);
    await ok(["wait", "e2e-fine"]);
    expect(await told("e2e-fine", "{{.State.Status}} {{.RestartCount}}")).toBe("exited 0");
  });

  test("always: with growing pauses, until it is stopped", async () => {
    await ok(["run", "-d", "--restart", "always", "--name", "e2e-a", "bb", "sh", "-c", "cut -d' ' -f1 /proc/uptime"]);
    await until("it ran five times", async () => (await ok(["logs", "e2e-a"])).split("\n").length >= 5);
    await ok(["stop", "-t", "0", "e2e-a"]);
    const times = (await ok(["logs", "e2e-a"])).split("\n").map(Number);
    const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(pauses[3]).toBeGreaterThan((pauses[0] ?? 0) + 0.3);
    expect(await told("e2e-a", "{{.State.Status}}")).toBe("exited");
    const count = await told("e2e-a", "{{.RestartCount}}");
    expect(await told("e2e-a", "{{.RestartCount}}")).toBe(count);
  });

  test("docker stop and kill never trigger one; removing ends it", async () => {
    for (const verb of [["stop", "-t", "0"], ["kill"]]) {
      await ok(["run", "-d", "--restart", "always", "--name", "e2e-a", "bb", "sleep", "1000"]);
      await ok([...verb, "e2e-a"]);
      await ok(["wait", "e2e-a"]);
      expect(await told("e2e-a", "{{.State.Status}} {{.RestartCount}}")).toBe("exited 0");
      await ok(["rm", "-f", "e2e-a"]);
    }
  });

  test.each([
    ["always", "", "exited 0"],
    ["always", "TERM", "running 1"],
    ["unless-stopped", "TERM", "exited 0"],
    ["on-failure", "TERM", "running 1"],
    ["on-failure", "", "exited 0"],
  ])("%s with stop signal %p, sent another signal that ends it: %s", async (policy, stopSignal, wanted) => {
    const options = ["--restart", policy, ...(stopSignal === "" ? [] : ["--stop-signal", stopSignal])];
    const script = "trap 'exit 3' HUP; echo ready; while :; do sleep 0.05; done";
    await ok(["run", "-d", ...options, "--net", "none", "--name", "e2e-a", "bb", "sh", "-c", script]);
    await until("it listens", async () => (await ok(["logs", "e2e-a"])) === "ready");
    await ok(["kill", "-s", "HUP", "e2e-a"]);
    await until("it has come to rest", async () => {
      const state = await told("e2e-a", "{{.State.Status}} {{.RestartCount}}");
      return !state.startsWith("restarting") && state !== "running 0";
    });
    expect(await told("e2e-a", "{{.State.Status}} {{.RestartCount}}")).toBe(wanted);
    await ok(["rm", "-f", "e2e-a"]);
  });

  test("who waits for its end finds it restarting, and stops that", async () => {
    for (const round of [1, 2, 3]) {
      await ok(["run", "-d", "--restart", "always", "--name", "e2e-a", "bb", "sh", "-c", "sleep 1; echo run"]);
      await ok(["wait", "e2e-a"]);
      if (round === 1) expect((await docker(["rm", "e2e-a"])).stderr).toContain("container is restarting: stop the");
      await ok([round === 2 ? "kill" : "stop", "e2e-a"]);
      expect(await told("e2e-a", "{{.State.Status}}")).toBe("exited");
      await ok(["run", "--rm", "--net", "none", "bb", "sleep", "1.3"]);
      expect(await ok(["logs", "e2e-a"])).toBe("run");
      await ok(["rm", "e2e-a"]);
    }
  });

  test("a process that dies by itself comes back under the same id", async () => {
    const id = await ok(["run", "-d", "--restart", "unless-stopped", "--name", "e2e-a", "bb", "sleep", "1000"]);
    const pid = await told("e2e-a", "{{.State.Pid}}");
    if (engine.daemon !== undefined) process.kill(Number(pid), "SIGKILL");
    else await ok(["exec", "--privileged", "e2e-a", "sh", "-c", "kill -9 1 || true"]);
    if (engine.daemon === undefined) return; // Process 1 cannot be killed from inside.
    await until("it runs again", async () => {
      const [status, now] = (await told("e2e-a", "{{.State.Status}} {{.State.Pid}}")).split(" ");
      return status === "running" && now !== pid;
    });
    expect(await told("e2e-a", "{{.Id}}")).toBe(id);
  });

  test("words that are no policy, and one that clashes with --rm", async () => {
    expect((await docker(["run", "--restart", "sometimes", "bb", "true"])).stderr).toContain("invalid restart policy");
    expect((await docker(["run", "--rm", "--restart", "always", "bb", "true"])).code).toBe(125);
  });
});

describe("health checks", () => {
  const health = ["--health-interval", "100ms", "--health-timeout", "1s", "--health-retries", "2"];
  const status = (): Promise<string> => told("e2e-h", "{{.State.Health.Status}} {{.State.Health.FailingStreak}}");

  test("starting, healthy, unhealthy after the retries, healthy again", async () => {
    const since = (Date.now() / 1000).toFixed(3);
    await ok(["run", "-d", "--name", "e2e-h", ...health, "--health-cmd", "test -e /tmp/well", "bb", "sleep", "1000"]);
    expect(await status()).toMatch(/^(starting|unhealthy)/);
    await ok(["exec", "e2e-h", "touch", "/tmp/well"]);
    await until("it is healthy", async () => (await status()) === "healthy 0");
    expect(await ok(["ps", "--filter", "name=e2e-h", "--format", "{{.Status}}"])).toContain("(healthy)");
    await ok(["exec", "e2e-h", "rm", "/tmp/well"]);
    await until("it is unhealthy", async () => (await status()).startsWith("unhealthy"));
    expect(Number((await status()).split(" ")[1])).toBeGreaterThanOrEqual(2);
    expect(await ok(["ps", "-q", "--filter", "health=unhealthy", "--filter", engine.filter])).not.toBe("");
    const events = [
      "events",
      "--since",
      since,
      "--until",
      (Date.now() / 1000).toFixed(3),
      "--filter",
      "container=e2e-h",
      "--filter",
      "event=health_status",
    ];
    const seen = (await ok([...events, "--format", "{{.Action}}"])).split("\n");
    expect(seen.slice(-2)).toEqual(["health_status: healthy", "health_status: unhealthy"]);
  });

  test("the last five probes are kept with output and code", async () => {
    await ok(["run", "-d", "--name", "e2e-h", ...health, "--health-cmd", "echo probed; exit 7", "bb", "sleep", "1000"]);
    await until("it was probed often", async () => Number((await status()).split(" ")[1]) >= 7);
    const log = JSON.parse(await told("e2e-h", "{{json .State.Health.Log}}")) as {
      readonly ExitCode: number;
      readonly Output: string;
    }[];
    expect(log).toHaveLength(5);
    for (const probe of log) expect(probe).toMatchObject({ ExitCode: 7, Output: "probed\n" });
  });

  test("a probe that hangs is ended and counts as failed", async () => {
    const flags = ["--health-interval", "100ms", "--health-timeout", "200ms", "--health-retries", "1"];
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-h",
      ...flags,
      "--health-cmd",
      "echo begun; sleep 100",
      "bb",
      "sleep",
      "1000",
    ]);
    await until("it is unhealthy", async () => (await status()).startsWith("unhealthy"));
    expect(await told("e2e-h", "{{(index .State.Health.Log 0).ExitCode}}")).toBe("-1");
    expect(await told("e2e-h", "{{(index .State.Health.Log 0).Output}}")).toContain(
      "Health check exceeded timeout (200ms)",
    );
    await until("what a probe said before is kept", async () =>
      (await told("e2e-h", "{{json .State.Health.Log}}")).includes("(200ms): begun\\n"),
    );
  });

  test("within the start period failures do not count; --no-healthcheck has none", async () => {
    await ok([
      "run",
      "-d",
      "--name",
      "e2e-h",
      ...health,
      "--health-start-period",
      "30s",
      "--health-cmd",
      "false",
      "bb",
      "sleep",
      "1000",
    ]);
    await until("it was probed", async () => (await told("e2e-h", "{{len .State.Health.Log}}")) !== "0");
    expect(await status()).toBe("starting 0");
    await ok(["rm", "-f", "e2e-h"]);
    await ok(["run", "-d", "--name", "e2e-h", "--no-healthcheck", "bb", "sleep", "1000"]);
    expect(await told("e2e-h", "{{json .State.Health}}")).toBe("null");
  });

  test.skipIf(engine.daemon === undefined)(
    "--restart-unhealthy restarts it and says why",
    async () => {
      const run = [
        "run",
        "-d",
        "--name",
        "e2e-h",
        "--restart-unhealthy",
        ...health,
        "--health-cmd",
        "test -e /tmp/well",
      ];
      const { code, stderr } = await engine.havre([...run, "bb", "sh", "-c", "echo up; exec sleep 1000"]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      try {
        await until("it was restarted", async () => (await ok(["logs", "e2e-h"])).split("\n").length >= 2, {
          within: 30_000,
        });
      } finally {
        await ok(["rm", "-f", "e2e-h"]);
      }
    },
    60_000,
  );
});
