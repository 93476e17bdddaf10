import { afterAll, beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { containerKind } from "../container.ts";
import { setStatus } from "../context.ts";
import { EngineHost } from "../testing/engine-host.ts";
import { recoverContainers } from "./recover.ts";

let host: EngineHost;
beforeAll(async () => {
  host = await EngineHost.open();
});
afterAll(() => host[Symbol.asyncDispose]());

test("a restart planned for an end that nobody saw is not made twice while others start", async () => {
  const HostConfig = { RestartPolicy: { Name: "always" } };
  const [slow, quick] = [await host.run({ HostConfig }), await host.run({ HostConfig })];
  const pids = [slow, quick].map((id) => host.find(id)?.status.init?.pid ?? 0);
  await host.end();
  for (const pid of pids) process.kill(pid, "SIGKILL");
  await host.assemble();
  const { snapshots } = host.context;
  const mount = snapshots.mount.bind(snapshots);
  const started = host.until(
    quick,
    (container) => container?.status.state === "running" && container.status.init?.pid !== pids[1],
  );
  snapshots.mount = async (key) => {
    if (key === slow) await started;
    return mount(key);
  };
  await recoverContainers(host.context, host.containers);
  await host.until(
    slow,
    (container) => container?.status.state === "running" && container.status.init?.pid !== pids[0],
  );
  expect([slow, quick].map((id) => [host.state(id), host.processes(id).length])).toEqual([
    ["running", 1],
    ["running", 1],
  ]);
  for (const id of [slow, quick]) await host.containers.remove(id, { force: true });
});

test("a container whose last allowed restart was cut off is stopped", async () => {
  const id = await host.create({ HostConfig: { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 } } });
  await setStatus(host.context, id, { state: "restarting", restartCount: 2, exitCode: 1 });
  await host.end();
  await host.begin();
  expect(host.state(id)).toBe("exited");
});

test("containers that remove themselves go when their daemon could not see to it", async () => {
  const created = await host.create({ HostConfig: { AutoRemove: true } });
  const exited = await host.create({ HostConfig: { AutoRemove: true } });
  await setStatus(host.context, exited, { state: "exited" });
  const running = await host.run({ HostConfig: { AutoRemove: true } });
  await host.end();
  await host.begin();
  for (const id of [created, exited]) await host.until(id, (container) => container === undefined);
  expect(host.state(running)).toBe("running");
  await host.containers.remove(running, { force: true });
});

test("a container whose creation was cut off after its name starts", async () => {
  const id = await host.create();
  await host.end();
  rmSync(join(host.folder, "root/containers", id), { recursive: true });
  await host.begin();
  await host.containers.start(id);
  expect(host.state(id)).toBe("running");
});

test("a start that was cut off before it was recorded is found whole: address, namespace, time", async () => {
  const id = await host.run({ HostConfig: { NetworkMode: "bridge" } });
  const { endpoints, namespacePath } = host.find(id)?.status ?? {};
  expect(endpoints?.length).toBe(1);
  // As the store was when the process began.
  await host.context.store.update((tx) => {
    const container = tx.get(containerKind, id);
    if (!container) return;
    const {
      init: _init,
      supervisor: _supervisor,
      namespacePath: _path,
      startedAt: _started,
      ...status
    } = container.status;
    tx.put(containerKind, {
      ...container,
      status: { ...status, state: "created", endpoints: [], stoppedByUser: true },
    });
  });
  await host.end();
  await host.begin();
  const found = host.find(id)?.status;
  expect(found).toMatchObject({ state: "running", stoppedByUser: false, namespacePath });
  expect(found?.endpoints).toEqual(endpoints ?? []);
  expect(found?.startedAt).toBeGreaterThan(0);
});

test("a renaming that was cut off before others could find the container by its new name is finished", async () => {
  const { id: network } = await host.context.networks.create({ name: "renamed" });
  const id = await host.run({ HostConfig: { NetworkMode: "renamed" } });
  await host.context.store.update((tx) => {
    const container = tx.get(containerKind, id);
    if (container) tx.put(containerKind, { ...container, name: "new-name" });
  });
  await host.end();
  await host.begin();
  expect(host.context.networks.endpointsOf(id).map(({ dnsNames }) => dnsNames[0])).toEqual(["new-name"]);
  expect(host.find(id)?.status.endpoints.map(({ dnsNames }) => dnsNames[0])).toEqual(["new-name"]);
  await host.containers.remove(id, { force: true });
  await host.context.networks.remove(network);
});
