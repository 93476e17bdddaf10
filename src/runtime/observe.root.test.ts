import { expect, test } from "bun:test";
import { detectCgroups } from "../kernel/mod.ts";
import { ContainerHost, collect } from "./testing/container-host.ts";

const MB = 1 << 20;

test("counters of a container's cgroups are what it used", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(
    [
      "sh",
      "-c",
      "head -c 20000000 /dev/zero > /dev/shm-file; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; echo done; sleep 1000",
    ],
    { stdio: { stdin: true }, resources: { memory: { limit: 64 * MB }, pids: { limit: 50 } } },
  );
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  await output.saw("done");
  const stats = host.runtime.stats(container.id);
  expect(stats?.version).toBe(detectCgroups().version);
  expect(stats?.memory.limit).toBe(64 * MB);
  expect(stats?.memory.usage).toBeGreaterThan(100_000);
  expect(stats?.memory.usage).toBeLessThan(64 * MB);
  expect(stats?.pids).toEqual({ current: 1, limit: 50 });
  expect(stats?.cpu.total).toBeGreaterThan(10_000_000);
  expect(stats?.cpu.total).toBeLessThan(60_000_000_000);
  await io[Symbol.asyncDispose]();
  expect(host.runtime.stats("nobody")).toBeUndefined();
});

test("processes are all of the container's, by the host's ids", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "sleep 1000 & sleep 1000 & echo up; wait"]);
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  await output.saw("up");
  const pids = host.runtime.processes(container.id);
  expect(pids.length).toBe(3);
  const { processes } = await host.runtime.observe(container.id, "crun", "");
  expect(pids).toContain(processes?.init.pid ?? 0);
  // Only loopback in a network namespace of its own.
  expect(host.runtime.interfaceCounters(processes?.init.pid ?? 0)).toEqual({});
  await io[Symbol.asyncDispose]();
  await container.delete();
  expect(host.runtime.processes(container.id)).toEqual([]);
});

test.each(["crun", "runc"])(
  "%s: a paused container stands still, is seen paused, and can be deleted",
  async (runtime) => {
    await using host = await ContainerHost.open();
    const container = await host.start("while :; do :; done", { runtime });
    expect(await container.status()).toBe("running");
    await host.runtime.pause(container.id, runtime);
    expect(await container.status()).toBe("paused");
    const used = host.runtime.stats(container.id)?.cpu.total;
    await Bun.sleep(50);
    expect(host.runtime.stats(container.id)?.cpu.total).toBe(used);
    await host.runtime.resume(container.id, runtime);
    expect(await container.status()).toBe("running");
    await host.runtime.pause(container.id, runtime);
    await container.delete();
    expect((await container.exited).code).toBe(137);
  },
);

test.each(["crun", "runc"])("%s: limits are changed while it runs", async (runtime) => {
  await using host = await ContainerHost.open();
  const container = await host.start("sleep 1000", {
    runtime,
    resources: { memory: { limit: 64 * MB, swap: 64 * MB } },
  });
  await host.runtime.update(container.id, runtime, { memory: { limit: 96 * MB, swap: 96 * MB }, pids: { limit: 7 } });
  const stats = host.runtime.stats(container.id);
  expect(stats?.memory.limit).toBe(96 * MB);
  expect(stats?.pids.limit).toBe(7);
});

test("a process killed for memory is reported, before the container's end and while it goes on", async () => {
  await using host = await ContainerHost.open();
  const seen: string[] = [];
  const first = Promise.withResolvers<void>();
  host.runtime.onOom((id) => {
    seen.push(`oom ${id}`);
    first.resolve();
  });
  host.runtime.onExit(({ id }) => seen.push(`exit ${id}`));
  const eat = "dd if=/dev/zero of=/dev/null bs=200M count=1";
  const resources = { memory: { limit: 16 * MB, swap: 16 * MB } };
  const dying = await host.start(`exec ${eat}`, { resources });
  expect((await dying.exited).code).toBe(137);
  expect(seen).toEqual([`oom ${dying.id}`, `exit ${dying.id}`]);
  seen.length = 0;
  const again = Promise.withResolvers<void>();
  host.runtime.onOom(() => again.resolve());
  const living = await host.start(`${eat}; sleep 1000`, { resources });
  await again.promise;
  expect(seen).toEqual([`oom ${living.id}`]);
  expect(await living.status()).toBe("running");
  await living.kill(9);
  await living.exited;
  expect(seen).toEqual([`oom ${living.id}`, `exit ${living.id}`]);
  const fine = await host.start("true", { resources });
  await fine.exited;
  expect(seen.slice(2)).toEqual([`exit ${fine.id}`]);
});

test("limits the daemon may not raise are lowered, with a warning, and the container starts", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "ulimit -Hn; cat /proc/self/oom_score_adj"], {
    process: {
      rlimits: [{ type: "RLIMIT_NOFILE", soft: 1 << 30, hard: 1 << 30 }],
      oomScoreAdj: -999,
    },
  });
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  expect((await container.exited).code).toBe(0);
  await io.closed;
  const [files, score] = output.stdout.trim().split("\n").map(Number);
  expect(files).toBeLessThanOrEqual(1 << 30);
  expect(score).toBeGreaterThanOrEqual(-999);
});
