import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { EngineHost } from "../testing/engine-host.ts";

let host: EngineHost;
beforeAll(async () => {
  host = await EngineHost.open();
});
afterAll(() => host[Symbol.asyncDispose]());

/** What the container's supervisor was told of the size of its log. */
async function toldSupervisor(Config: object): Promise<string | undefined> {
  const id = await host.run({ HostConfig: { LogConfig: { Type: "json-file", Config } } });
  const words = readFileSync(`/proc/${host.find(id)?.status.supervisor?.pid}/cmdline`, "utf8").split("\0");
  await host.containers.remove(id, { force: true });
  expect(words).toContain("--exit-dir");
  return words.includes("--log-size-max") ? words[words.indexOf("--log-size-max") + 1] : undefined;
}

test.each([
  ["1.5m", "1500000"],
  ["10MiB", "10000000"],
  ["1t", "1000000000000"],
  ["-1", undefined],
])("a log of at most %s is one of %s bytes for the supervisor", async (size, bytes) => {
  expect(await toldSupervisor({ "max-size": size })).toBe(bytes);
});

test("a log is bounded when nothing is said", async () => {
  expect(Number(await toldSupervisor({}))).toBeGreaterThan(0);
});
