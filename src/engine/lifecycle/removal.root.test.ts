import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { EngineHost } from "../testing/engine-host.ts";

let host: EngineHost;
beforeAll(async () => {
  host = await EngineHost.open();
});
afterAll(() => host[Symbol.asyncDispose]());

test("a container that is started while its removal waits is not removed under its process", async () => {
  const id = await host.create();
  const started = host.containers.start(id);
  await expect(host.containers.remove(id, { force: false })).rejects.toMatchObject({ kind: "conflict" });
  await started;
  expect(host.state(id)).toBe("running");
});

test("a forced removal that waits for a start ends the process it finds then", async () => {
  const id = await host.create();
  const started = host.containers.start(id);
  await host.containers.remove(id, { force: true });
  await started;
  expect(host.processes(id)).toEqual([]);
  await host.until(id, (container) => container === undefined);
});

test("forced removal of a container that removes itself succeeds", async () => {
  const id = await host.run({ HostConfig: { AutoRemove: true } });
  await host.containers.remove(id, { force: true });
  expect(host.find(id)).toBeUndefined();
});

test("of two removals at once both succeed or the second finds nothing", async () => {
  const id = await host.run();
  const outcomes = await Promise.allSettled([1, 2].map(() => host.containers.remove(id, { force: true })));
  for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason.kind).toBe("not-found");
  expect(outcomes.some(({ status }) => status === "fulfilled")).toBe(true);
});

test("who waits for removal hears of it, with the exit code, however the container goes", async () => {
  const id = await host.run({ Cmd: ["sh", "-c", "sleep 0.2; exit 7"], HostConfig: { AutoRemove: true } });
  const { exit } = await host.containers.wait(id, "removed");
  expect(await exit).toEqual({ code: 7 });
  const created = await host.create();
  const waiting = await host.containers.wait(created, "next-exit");
  await host.containers.remove(created, { force: false });
  expect(await waiting.exit).toEqual({ code: 0 });
});

test("a removal waits until the container is wholly created", async () => {
  const { snapshots } = host.context;
  const prepare = snapshots.prepare.bind(snapshots);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  snapshots.prepare = async (...layer) => {
    await released;
    await prepare(...layer);
  };
  const creating = host.create({}, "halfway");
  const removal = host.containers.remove("halfway", { force: false });
  // A removal that does not wait would be over by now: this takes as many turns of the disk.
  await host.context.store.sync();
  await host.context.store.sync();
  release();
  snapshots.prepare = prepare;
  const id = await creating;
  await removal;
  await host.until(id, (container) => container === undefined);
  expect(snapshots.keys()).not.toContain(id);
});

test("pruning goes on when a container is started or removed meanwhile", async () => {
  const [started, removed, idle] = await Promise.all([host.create(), host.create(), host.create()]);
  const starting = host.containers.start(started);
  const removing = host.containers.remove(removed, { force: false });
  const { removed: pruned } = await host.containers.prune({ labels: [] });
  await Promise.all([starting, removing]);
  expect(pruned).toContain(idle);
  expect(pruned).not.toContain(started);
  expect(host.state(started)).toBe("running");
});

test("nothing of removed containers stays in the folders", async () => {
  for (const { id } of host.containers.list()) await host.containers.remove(id, { force: true });
  await host.containers.close();
  for (const folder of ["root/containers", "run/bundles", "run/exits", "run/containers"]) {
    const path = join(host.folder, folder);
    expect({ folder, files: existsSync(path) ? readdirSync(path) : [] }).toEqual({ folder, files: [] });
  }
});
