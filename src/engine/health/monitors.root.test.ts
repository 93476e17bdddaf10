import { afterAll, beforeAll, expect, test } from "bun:test";
import { HavreError } from "../../base/mod.ts";
import { EngineHost } from "../testing/engine-host.ts";

let host: EngineHost;
beforeAll(async () => {
  host = await EngineHost.open();
});
afterAll(() => host[Symbol.asyncDispose]());

test("a check whose result cannot be written is told, and the next one counts", async () => {
  const id = await host.run({ Healthcheck: { Test: ["CMD", "true"], Interval: 20_000_000 } });
  const { store } = host.context;
  const update = store.update;
  const { promise: refused, resolve } = Promise.withResolvers<void>();
  store.update = async () => {
    store.update = update;
    resolve();
    throw new HavreError("resource-exhausted", "The disk is full");
  };
  await refused;
  await host.until(id, (container) => container?.status.health?.status === "healthy");
  expect(host.logged.filter((line) => line.includes("not recorded")).length).toBe(1);
});

test("memory kills that cannot be written are no bug", async () => {
  const id = await host.run();
  const { store } = host.context;
  const update = store.update;
  store.update = async () => {
    store.update = update;
    throw new HavreError("resource-exhausted", "The disk is full");
  };
  host.containers.outOfMemory(id);
  await host.containers.remove(id, { force: true });
  expect(host.logged.some((line) => line.includes("background work failed"))).toBe(true);
});
