import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { EngineHost } from "../testing/engine-host.ts";
import { recoverContainers } from "./recover.ts";

let host: EngineHost;
beforeAll(async () => {
  host = await EngineHost.open();
});
afterAll(() => host[Symbol.asyncDispose]());

test("restarting a container that removes itself keeps it", async () => {
  const id = await host.run({ HostConfig: { AutoRemove: true } });
  await host.containers.restart(id, { timeout: 0 });
  expect(host.state(id)).toBe("running");
  await host.containers.stop(id, { timeout: 0 });
  await host.until(id, (container) => container === undefined);
});

test("an end that is told after the next start does not end the run that began then", async () => {
  const id = await host.run();
  const init = host.find(id)?.status.init;
  if (init === undefined) throw new Error("It has no process");
  await host.containers.restart(id, { timeout: 0 });
  host.containers.exited({ id, init, code: 9, at: Date.now() });
  await host.context.locks.run(id, async () => {});
  expect(host.state(id)).toBe("running");
  await host.containers.remove(id, { force: true });
});

/** A container that fails again and again, waiting for its next start for some hundred milliseconds. */
async function inBackOff(HostConfig: object = {}): Promise<string> {
  const id = await host.create({ Cmd: ["false"], HostConfig: { RestartPolicy: { Name: "always" }, ...HostConfig } });
  const ends: Promise<void> = (async () => {
    for (let end = 0; end < 4; end++) await host.event("die");
  })();
  await host.containers.start(id);
  await ends;
  await host.context.locks.run(id, async () => {});
  expect(host.state(id)).toBe("restarting");
  return id;
}

test("a container in back-off whose start by hand fails is stopped, not restarting for ever", async () => {
  const Source = join(host.folder, "source");
  mkdirSync(Source);
  const id = await inBackOff({ Mounts: [{ Type: "bind", Source, Target: "/x" }] });
  rmdirSync(Source);
  await expect(host.containers.restart(id, {})).rejects.toThrow(Source);
  expect(host.state(id)).toBe("exited");
  await host.containers.remove(id, { force: false });
});

test("a container in back-off counts as running for a start, and its stop is told to who waits", async () => {
  const id = await inBackOff();
  await expect(host.containers.start(id)).rejects.toMatchObject({ kind: "not-modified" });
  const { exit } = await host.containers.wait(id, "not-running");
  await host.containers.stop(id, {});
  expect(await exit).toEqual({ code: 1 });
  expect(host.state(id)).toBe("exited");
});

test("an unhealthy container that its owner stopped stays stopped", async () => {
  const id = await host.run({
    StopSignal: "SIGKILL",
    Labels: { "havre.restart-unhealthy": "true" },
    Healthcheck: { Test: ["CMD", "false"], Interval: 50_000_000, Retries: 1 },
  });
  // Restarted at once the first time; the second wait is long enough to stop it in.
  await host.event("restart_unhealthy");
  await host.event("restart_unhealthy");
  await host.containers.stop(id, { timeout: 0 });
  expect(host.state(id)).toBe("exited");
  // Ends the waits: a restart that is still planned would happen, or keep the engine from ending.
  const before = performance.now();
  await host.end();
  expect(performance.now() - before).toBeLessThan(500);
  await host.begin();
  expect(host.state(id)).toBe("exited");
});

test("an unhealthy container is restarted by the next daemon when the last one could not", async () => {
  const id = await host.run({
    StopSignal: "SIGKILL",
    Labels: { "havre.restart-unhealthy": "true" },
    Healthcheck: { Test: ["CMD", "false"], Interval: 50_000_000, Retries: 1 },
  });
  await host.event("restart_unhealthy");
  await host.event("restart_unhealthy");
  await host.end();
  await host.assemble();
  const restarted = host.event("restart");
  await recoverContainers(host.context, host.containers);
  await restarted;
  await host.containers.remove(id, { force: true });
});
