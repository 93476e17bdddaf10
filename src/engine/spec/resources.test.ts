import { describe, expect, test } from "bun:test";
import { statSync } from "node:fs";
import { buildResourceChange, buildResources } from "./resources.ts";
import { hostConfigOf } from "./testing.ts";

describe("limits of a new container", () => {
  test("none asked for, none written but that the kernel may kill for memory", () => {
    expect(buildResources(hostConfigOf())).toEqual({ memory: { disableOOMKiller: false } });
    expect(buildResources(hostConfigOf({ OomKillDisable: null, PidsLimit: 0 }))).toEqual({});
  });

  test("memory, and swap unlimited by leaving it out", () => {
    const limits = { Memory: 64, MemorySwap: -1, MemoryReservation: 32, MemorySwappiness: 0 };
    expect(buildResources(hostConfigOf(limits)).memory).toEqual({
      limit: 64,
      reservation: 32,
      swappiness: 0,
      disableOOMKiller: false,
    });
  });

  test("CPUs become time per tenth of a second", () => {
    expect(buildResources(hostConfigOf({ NanoCpus: 1.5e9 })).cpu).toEqual({ period: 100_000, quota: 150_000 });
    expect(
      buildResources(hostConfigOf({ CpuPeriod: 50_000, CpuQuota: -1, CpuShares: 3, CpusetMems: "0" })).cpu,
    ).toEqual({
      shares: 3,
      period: 50_000,
      quota: -1,
      mems: "0",
    });
  });

  test("block devices by number", () => {
    const { rdev } = statSync("/dev/null");
    expect(rdev).toBe(0x103);
    const BlkioDeviceReadBps = [{ Path: "/dev/null", Rate: 9 }];
    expect(buildResources(hostConfigOf({ BlkioDeviceReadBps, BlkioWeight: 10 })).blockIO).toEqual({
      weight: 10,
      throttleReadBpsDevice: [{ major: 1, minor: 3, rate: 9 }],
    });
    expect(() => buildResources(hostConfigOf({ BlkioDeviceReadBps: [{ Path: "/nope", Rate: 1 }] }))).toThrow(
      "stat /nope: no such file or directory",
    );
  });
});

describe("a change of a running container", () => {
  test("only what is in it", () => {
    expect(buildResourceChange({ CpuShares: 5 })).toEqual({ cpu: { shares: 5 } });
    expect(buildResourceChange({ Memory: 1, MemorySwap: -1 })).toEqual({ memory: { limit: 1, swap: -1 } });
    expect(buildResourceChange({})).toEqual({});
  });

  test("a process limit taken away, by whichever number, is zero", () => {
    for (const PidsLimit of [0, -1, -2]) expect(buildResourceChange({ PidsLimit })).toEqual({ pids: { limit: 0 } });
  });
});
