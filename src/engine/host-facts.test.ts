import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capabilitiesOf, parseLimits, readHostFacts, supportV2 } from "./host-facts.ts";

test("capabilities from a mask", () => {
  expect(capabilitiesOf("00000000a80425fb")).toHaveLength(14);
  expect(capabilitiesOf("200001")).toEqual(["CAP_CHOWN", "CAP_SYS_ADMIN"]);
});

test("limits from the kernel's table", () => {
  const table = `Limit                     Soft Limit           Hard Limit           Units
Max open files            1024                 4096                 files
Max core file size        0                    unlimited            bytes
`;
  expect(parseLimits(table)).toEqual({ nofile: { soft: 1024, hard: 4096 }, core: { soft: 0, hard: undefined } });
});

test("version 2: what the controllers and their groups' files say", () => {
  const folder = mkdtempSync(join(tmpdir(), "havre-cgroups-"));
  writeFileSync(join(folder, "cgroup.controllers"), "cpuset cpu io memory pids\n");
  mkdirSync(join(folder, "system.slice"));
  expect(supportV2(folder)).toMatchObject({ memory: true, swap: false, blkioWeight: false, blkioReadBps: true });
  writeFileSync(join(folder, "system.slice/memory.swap.max"), "max");
  writeFileSync(join(folder, "system.slice/io.bfq.weight"), "default 100");
  expect(supportV2(folder)).toMatchObject({ swap: true, blkioWeight: true, swappiness: false, cpuRealtime: false });
  writeFileSync(join(folder, "cgroup.controllers"), "pids\n");
  expect(supportV2(folder)).toMatchObject({ memory: false, swap: false, cpuCfs: false, pids: true });
  rmSync(folder, { recursive: true });
});

test("this host has a kernel, a CPU and memory", () => {
  const facts = readHostFacts();
  expect(facts.onlineCpus).toBeGreaterThan(0);
  expect(facts.memory).toBeGreaterThan(0);
  expect(facts.kernel).toMatch(/^\d+\.\d+/);
});
