import { expect, test } from "bun:test";
import type { HostConfig } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import { specOf } from "../spec/testing.ts";
import { hostOf } from "./testing.ts";
import { validateUpdate } from "./update.ts";

function container(hostConfig: Partial<HostConfig> = {}): Container {
  return {
    id: "c1",
    name: "one",
    created: 0,
    spec: specOf({}, hostConfig),
    status: {
      state: "running",
      exitCode: 0,
      error: "",
      oomKilled: false,
      restartCount: 0,
      stoppedByUser: false,
      endpoints: [],
    },
  };
}

test("changes what is given and leaves zeros alone", () => {
  const before = container({ CpuShares: 7, PidsLimit: 9 });
  const { hostConfig, change } = validateUpdate(before, { CpuShares: 0, NanoCpus: 5e8, PidsLimit: null }, hostOf());
  expect(change).toEqual({ NanoCpus: 5e8 });
  expect(hostConfig).toEqual({ ...before.spec.hostConfig, NanoCpus: 5e8 });
});

test("unlimited swap is in nobody's way", () => {
  expect(validateUpdate(container({ MemorySwap: -1 }), { CpuShares: 9 }, hostOf()).change).toEqual({ CpuShares: 9 });
});

test("a process limit can be taken away", () => {
  expect(validateUpdate(container(), { PidsLimit: -1 }, hostOf()).change).toEqual({ PidsLimit: 0 });
});

test.each<[Partial<HostConfig>, Parameters<typeof validateUpdate>[1], string]>([
  [{}, { Memory: 1000 }, "Minimum memory limit allowed is 6MB"],
  [
    { MemorySwap: 64 << 20 },
    { Memory: 128 << 20 },
    "Cannot update container c1: Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time",
  ],
  [
    { NanoCpus: 1e9 },
    { CpuPeriod: 50_000 },
    "Cannot update container c1: Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set",
  ],
  [
    { AutoRemove: true },
    { RestartPolicy: { Name: "always", MaximumRetryCount: 0 } },
    "Cannot update container c1: Restart policy cannot be updated because AutoRemove is enabled for the container",
  ],
  [{}, { CpusetCpus: "9" }, "Requested CPUs are not available - requested 9, available: 0-1"],
])("on %j, %j is refused", (now, change, message) => {
  expect(() => validateUpdate(container(now), change, hostOf())).toThrow(message);
});

test("a restart policy is replaced whole", () => {
  const RestartPolicy = { Name: "on-failure", MaximumRetryCount: 3 } as const;
  expect(validateUpdate(container(), { RestartPolicy }, hostOf()).hostConfig.RestartPolicy).toEqual(RestartPolicy);
});
