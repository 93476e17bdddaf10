import { expect, test } from "bun:test";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HavreError, newId, silentLogger, systemClock } from "../base/mod.ts";
import { bindMount, findProcesses, identifyProcess, isProcessAlive, unmount } from "../kernel/mod.ts";
import { ConmonRuntime } from "./conmon.ts";
import { ContainerHost, collect } from "./testing/container-host.ts";
import { until } from "./waiting.ts";

test("a container passes through its states and its exit code is recorded", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "exit 7"]);
  expect(await container.status()).toBe("created");
  await container.start();
  expect(await container.exited).toMatchObject({ id: container.id, code: 7 });
  expect(Math.abs((await container.exited).at - Date.now())).toBeLessThan(10_000);
  expect(await container.status()).toBe("stopped");
  expect(host.runtime.recordedExit(container.id)?.code).toBe(7);
  await container.delete();
  expect(await container.status()).toBe("absent");
  host.runtime.forgetExit(container.id);
  expect(host.runtime.recordedExit(container.id)).toBeUndefined();
});

test.each(["crun", "runc"])("%s: signals reach the init process, and 128 + signal is the code", async (runtime) => {
  await using host = await ContainerHost.open();
  const trapping = await host.create(["sh", "-c", "trap 'exit 9' USR1; echo ready; while :; do sleep 0.01; done"], {
    runtime,
  });
  const io = await trapping.attach();
  const ready = Promise.withResolvers<void>();
  io.onOutput(() => {
    ready.resolve();
    return true;
  });
  await trapping.start();
  await ready.promise;
  await trapping.kill(10);
  expect((await trapping.exited).code).toBe(9);
  await io.closed;
  expect(trapping.kill(10)).rejects.toMatchObject({ kind: "not-found" });
  const sleeping = await host.start("sleep 100 & sleep 100", { runtime });
  await sleeping.kill(9, true);
  expect((await sleeping.exited).code).toBe(137);
});

test("what cannot be started says so as Docker does, and leaves nothing", async () => {
  await using host = await ContainerHost.open();
  writeFileSync(join(host.rootfs, "plain"), "text");
  const lead =
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ";
  for (const [command, kind, text] of [
    ["", "not-found", 'exec: "": executable file not found in $PATH: unknown'],
    ["nope", "not-found", 'exec: "nope": executable file not found in $PATH: unknown'],
    ["/nope", "not-found", 'exec: "/nope": stat /nope: no such file or directory: unknown'],
    ["/plain", "permission-denied", 'exec: "/plain": permission denied: unknown'],
    ["/tmp", "permission-denied", 'exec: "/tmp": permission denied: unknown'],
  ] as const) {
    for (const runtime of ["crun", "runc"]) {
      for (const terminal of [false, true]) {
        const error = await host.create([command], { runtime, stdio: { terminal } }).catch((failure) => failure);
        expect(error).toMatchObject({ kind, message: `${lead}${text}` });
      }
    }
  }
  expect(readdirSync(join(host.run, "containers"))).toEqual([]);
  expect(readdirSync(join(host.run, "runtime/crun"))).toEqual([]);
});

test("a runtime that is missing or unknown is named, one that hangs is given up", async () => {
  await using host = await ContainerHost.open();
  const hanging = join(host.folder, "hanging");
  writeFileSync(hanging, '#!/bin/sh\nsleep 1000 & echo $! > "$(dirname "$0")/hanging-pid"; wait\n');
  chmodSync(hanging, 0o755);
  const runtimes = new Map([
    ["gone", { path: "/nonexistent/gone", args: [] }],
    ["hanging", { path: hanging, args: [] }],
  ]);
  using runtime = new ConmonRuntime({ run: host.run, logger: silentLogger, runtimes, timeout: 300 });
  await runtime.recover();
  expect(runtime.create(host.request(["true"], { runtime: "gone" }))).rejects.toMatchObject({
    kind: "unavailable",
    message: "The program /nonexistent/gone is not installed",
  });
  expect(runtime.create(host.request(["true"], { runtime: "what" }))).rejects.toMatchObject({
    kind: "invalid-argument",
  });
  const request = host.request(["true"], { runtime: "hanging" });
  await expect(runtime.create(request)).rejects.toMatchObject({ kind: "deadline-exceeded" });
  const pid = Number(readFileSync(join(host.folder, "hanging-pid"), "utf8"));
  await until(systemClock, () => !isProcessAlive(identifyProcess(pid)));
});

test("what crun refuses or is missing for goes to runc, which then has the container; a fault of the container's does not", async () => {
  await using host = await ContainerHost.open();
  const refusing = join(host.folder, "refusing");
  const calls = join(host.folder, "calls");
  writeFileSync(refusing, `#!/bin/sh\necho "$*" >>${calls}\necho "cgroups in hybrid mode not supported" >&2\nexit 1\n`);
  chmodSync(refusing, 0o755);
  for (const path of [refusing, "/nonexistent/crun"]) {
    using runtime = new ConmonRuntime({
      run: host.run,
      logger: silentLogger,
      runtimes: new Map([["crun", { path, args: [] }]]),
    });
    await runtime.recover();
    const request = { ...host.request(["sleep", "1000"]), fallback: "runc" };
    const exited = Promise.withResolvers<number>();
    using _listener = runtime.onExit(({ code }) => exited.resolve(code));
    await runtime.create(request);
    expect(readdirSync(join(host.run, "runtime/runc"))).toEqual([request.id]);
    await runtime.start(request.id, "crun");
    expect(await runtime.status(request.id, "crun")).toBe("running");
    await runtime.pause(request.id, "crun");
    await runtime.resume(request.id, "crun");
    await runtime.kill(request.id, "crun", 9);
    expect(await exited.promise).toBe(137);
    await runtime.delete(request.id, "crun", request.bundle);
    expect(readdirSync(join(host.run, "runtime/runc"))).toEqual([]);
  }
  expect(
    readFileSync(calls, "utf8")
      .split("\n")
      .filter((line) => line.includes(" create ")),
  ).toHaveLength(1);
  // runc is not asked: its own message would be another.
  const wrong = { ...host.request(["nope"]), fallback: "what" };
  await expect(host.runtime.create(wrong)).rejects.toMatchObject({ kind: "not-found" });
});

test("a specification that comes later is waited for; one that does not come leaves no supervisor", async () => {
  await using host = await ContainerHost.open();
  const { spec, ...request } = host.request(["sh", "-c", "exit 4"]);
  if ("whole" in spec) throw new Error("It is whole");
  const { promise, resolve } = Promise.withResolvers<typeof spec>();
  const toCome = { rootfs: spec.root.path, cgroupsPath: spec.linux.cgroupsPath, whole: promise };
  const created = host.runtime.create({ ...request, spec: toCome });
  await until(systemClock, () => findProcesses(request.bundle).length > 0);
  expect(existsSync(join(request.bundle, "config.json"))).toBe(false);
  resolve(spec);
  await created;
  const exited = Promise.withResolvers<number>();
  using _listener = host.runtime.onExit(({ code }) => exited.resolve(code));
  await host.runtime.start(request.id, "crun");
  expect(await exited.promise).toBe(4);
  await host.runtime.delete(request.id, "crun", request.bundle);

  const other = host.request(["true"]);
  const whole = Promise.reject(new HavreError("invalid-argument", "no such device"));
  await expect(host.runtime.create({ ...other, spec: { ...toCome, whole } })).rejects.toThrow("no such device");
  expect(findProcesses(other.bundle)).toEqual([]);
  expect(readdirSync(join(host.run, "containers"))).toEqual([]);
});

test("a created container that was never started is deleted with its processes", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sleep", "100"]);
  const { init, supervisor } = (await host.runtime.observe(container.id, "crun", "")).processes ?? {};
  await container.delete();
  for (const identity of [init, supervisor]) expect(existsSync(`/proc/${identity?.pid}`)).toBe(false);
});

test("a supervisor has no descriptor of the daemon's, and its container none of the supervisor's", async () => {
  await using host = await ContainerHost.open();
  const container = await host.create(["sh", "-c", "echo up; exec sleep 100"]);
  const io = await container.attach();
  const output = collect(io);
  await container.start();
  await output.saw("up");
  await io[Symbol.asyncDispose]();
  const { processes } = await host.runtime.observe(container.id, "crun", "");
  const pid = processes?.supervisor.pid;
  const targets = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  const own = /^(\/dev\/null|pipe:|socket:|anon_inode:|\/sys\/fs\/cgroup|\/proc\/\d+\/cgroup)/;
  expect(targets.filter((target) => !own.test(target) && !target.startsWith(host.folder))).toEqual([]);
  // The liveness pipe must not reach the container, whose end would otherwise be needed for it to close.
  expect(readdirSync(`/proc/${processes?.init.pid}/fd`).sort()).toEqual(["0", "1", "2"]);
});

test("no process of one container holds another's root file system, and this daemon keeps its own mounts", async () => {
  await using host = await ContainerHost.open();
  const namespace = readlinkSync("/proc/self/ns/mnt");
  const roots = ["first", "second"].map((name) => join(host.folder, name));
  const pids: number[] = [];
  for (const root of roots) {
    mkdirSync(root);
    bindMount(host.rootfs, root);
    const container = await host.create(["sleep", "100"], { rootfs: root });
    await container.start();
    const { processes } = await host.runtime.observe(container.id, "crun", "");
    pids.push(processes?.init.pid ?? 0, processes?.supervisor.pid ?? 0);
  }
  expect(readlinkSync("/proc/self/ns/mnt")).toBe(namespace);
  const [first = "", second = ""] = roots;
  const mounted = readFileSync("/proc/self/mountinfo", "utf8");
  for (const root of roots) expect(mounted).toContain(root);
  for (const pid of pids.slice(2)) {
    if (readlinkSync(`/proc/${pid}/ns/mnt`) === namespace) continue;
    expect(readFileSync(`/proc/${pid}/mountinfo`, "utf8")).not.toContain(`${first} `);
  }
  for (const root of [first, second]) unmount(root);
});

test("two runtimes with folders of their own do not see each other's containers", async () => {
  await using host = await ContainerHost.open();
  await using other = await ContainerHost.open();
  const container = await host.start("sleep 100");
  expect(await other.runtime.status(container.id, "crun")).toBe("absent");
  expect(await other.runtime.status(newId(), "runc")).toBe("absent");
});
