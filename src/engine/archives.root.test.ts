import { afterAll, beforeAll, expect, test } from "bun:test";
import { mountInfo } from "../kernel/mod.ts";
import { ContainerArchives } from "./archives.ts";
import { EngineHost } from "./testing/engine-host.ts";

let host: EngineHost;
let archives: ContainerArchives;
beforeAll(async () => {
  host = await EngineHost.open();
  archives = new ContainerArchives(host.context);
});
afterAll(() => host[Symbol.asyncDispose]());

async function bytes(tar: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0;
  for await (const chunk of tar) size += chunk.byteLength;
  return size;
}

const mounted = (id: string) =>
  mountInfo().some(({ mountPoint }) => mountPoint === host.context.snapshots.mountPoint(id));

test("a copy goes on while others of the same container end, and the last one gives the tree back", async () => {
  const id = await host.create();
  const whole = await bytes((await archives.get(id, "/")).tar);
  expect(mounted(id)).toBe(false);
  const long = await archives.get(id, "/");
  await archives.stat(id, "/bin");
  expect(mounted(id)).toBe(true);
  expect(await bytes(long.tar)).toBe(whole);
  expect(mounted(id)).toBe(false);
});

test("an export goes on when the process ends meanwhile", async () => {
  const id = await host.run({ StopSignal: "SIGKILL" });
  const tar = await archives.export(id);
  await host.containers.stop(id, {});
  expect(mounted(id)).toBe(true);
  expect(await bytes(tar)).toBeGreaterThan(1 << 20);
  expect(mounted(id)).toBe(false);
});

test("a copy that outlives its container ends in peace", async () => {
  const id = await host.create();
  const { tar } = await archives.get(id, "/bin/busybox");
  const reading = tar[Symbol.asyncIterator]();
  await reading.next();
  await host.containers.remove(id, { force: false });
  await reading.return?.();
  await host.until(id, (container) => container === undefined);
});

test("a tree that a killed daemon had mounted for a copy is given back", async () => {
  const id = await host.create();
  await host.context.snapshots.mount(id);
  await host.end();
  await host.begin();
  archives = new ContainerArchives(host.context);
  expect(mounted(id)).toBe(false);
});
