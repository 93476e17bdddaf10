import { expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { identifyProcess, isProcessAlive, signalProcess } from "../kernel/mod.ts";
import type { Exit } from "./runtime.ts";
import { ContainerHost, collect } from "./testing/container-host.ts";

/** A daemon of its own process: creates the container in REQUEST, does STEPS, then says so and waits to be killed. */
const OTHER_DAEMON = `
  const { ConmonRuntime } = await import(process.env.MODULE);
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const runtime = new ConmonRuntime({ run: process.env.RUN, logger: quiet });
  await runtime.recover();
  const request = JSON.parse(process.env.REQUEST);
  if (process.env.STEPS === "creating") { process.stdout.write("ready"); await runtime.create(request); }
  else {
    await runtime.create(request);
    if (process.env.STEPS === "start") await runtime.start(request.id, request.runtime);
    process.stdout.write("ready");
  }
  setInterval(() => {}, 1000);
`;

async function inKilledDaemon(
  host: ContainerHost,
  script: string,
  steps: "creating" | "create" | "start",
  killAfter = 0,
) {
  const request = host.request(["sh", "-c", script]);
  const child = Bun.spawn([process.execPath, "-e", OTHER_DAEMON], {
    env: {
      ...process.env,
      MODULE: join(import.meta.dirname, "conmon.ts"),
      RUN: host.run,
      REQUEST: JSON.stringify(request),
      STEPS: steps,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const reader = child.stdout.getReader();
  await reader.read();
  if (killAfter > 0) await Bun.sleep(killAfter);
  child.kill("SIGKILL");
  await child.exited;
  return request;
}

test("a container goes on when its daemon is killed, and the next daemon has its streams and its exit", async () => {
  await using host = await ContainerHost.open();
  const request = await inKilledDaemon(host, "while ! test -e /go; do sleep 0.01; done; echo out; exit 6", "start");
  using next = host.newRuntime();
  const exits: Exit[] = [];
  const exited = Promise.withResolvers<Exit>();
  next.onExit((exit) => {
    exits.push(exit);
    exited.resolve(exit);
  });
  await next.recover();
  const seen = await next.observe(request.id, "crun", request.bundle);
  expect(seen.status).toBe("running");
  expect(seen.processes && isProcessAlive(seen.processes.init)).toBe(true);
  const io = await next.attach(request.id, request.bundle, request.stdio);
  const output = collect(io);
  await Bun.write(join(host.rootfs, "go"), "");
  expect(await exited.promise).toMatchObject({ id: request.id, code: 6 });
  await io.closed;
  expect(output.stdout).toBe("out\n");
  await next.delete(request.id, "crun", request.bundle);
  expect(exits.length).toBe(1);
});

test("an exit while no daemon runs is reported by recover, once", async () => {
  await using host = await ContainerHost.open();
  const request = await inKilledDaemon(host, "exit 5", "start");
  using next = host.newRuntime();
  const exits: Exit[] = [];
  next.onExit((exit) => exits.push(exit));
  const exited = Promise.withResolvers<void>();
  next.onExit(() => exited.resolve());
  await next.recover();
  await exited.promise;
  await next.recover();
  expect(exits.map(({ id, code }) => [id, code])).toEqual([[request.id, 5]]);
  await next.delete(request.id, "crun", request.bundle);
});

test("a created container waits for the next daemon to start it", async () => {
  await using host = await ContainerHost.open();
  const request = await inKilledDaemon(host, "exit 8", "create");
  using next = host.newRuntime();
  const exited = Promise.withResolvers<Exit>();
  next.onExit(exited.resolve);
  await next.recover();
  expect((await next.observe(request.id, "crun", request.bundle)).status).toBe("created");
  await next.start(request.id, "crun");
  expect((await exited.promise).code).toBe(8);
  await next.delete(request.id, "crun", request.bundle);
});

test("a daemon killed at any moment of a creation leaves nothing, or a container", async () => {
  await using host = await ContainerHost.open();
  for (let delay = 1; delay <= 15; delay++) {
    const request = await inKilledDaemon(host, "sleep 1000", "creating", delay);
    using next = host.newRuntime();
    await next.recover();
    const { status } = await next.observe(request.id, "crun", request.bundle);
    expect(["absent", "created"]).toContain(status);
    await next.delete(request.id, "crun", request.bundle, true);
    expect(existsSync(join(host.run, "runtime/crun", request.id))).toBe(false);
  }
}, 60_000);

test("a supervisor that is killed ends its container, with this daemon and with the next", async () => {
  await using host = await ContainerHost.open();
  const own = await host.start("sleep 1000");
  const { processes } = await host.runtime.observe(own.id, "crun", "");
  if (processes === undefined) throw new Error("not running");
  signalProcess(processes.supervisor, 9);
  expect((await own.exited).code).toBe(137);
  expect(host.runtime.recordedExit(own.id)?.code).toBe(137);

  const request = await inKilledDaemon(host, "sleep 1000", "start");
  using next = host.newRuntime();
  const exited = Promise.withResolvers<Exit>();
  next.onExit((exit) => exit.id === request.id && exited.resolve(exit));
  await next.recover();
  const seen = await next.observe(request.id, "crun", request.bundle);
  if (seen.processes === undefined) throw new Error("not running");
  signalProcess(seen.processes.supervisor, 9);
  expect((await exited.promise).code).toBe(137);
  await next.delete(request.id, "crun", request.bundle);
  expect(isProcessAlive(seen.processes.init)).toBe(false);
  expect(isProcessAlive(identifyProcess(seen.processes.init.pid))).toBe(false);
});

test("a removal that was cut off after the runtime's own state was gone is still seen, and finished", async () => {
  await using host = await ContainerHost.open();
  const container = await host.start("exit 4");
  await container.exited;
  rmSync(join(host.run, "runtime", "crun", container.id), { recursive: true });
  using next = host.newRuntime();
  await next.recover();
  expect((await next.observe(container.id, "crun", container.request.bundle)).status).toBe("stopped");
  await next.delete(container.id, "crun", container.request.bundle, true);
  expect((await next.observe(container.id, "crun", container.request.bundle)).status).toBe("absent");
});
