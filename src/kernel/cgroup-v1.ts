import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf, HavreError } from "../base/mod.ts";
import type { DeviceRule, RuntimeResources } from "../spec/mod.ts";
import type { CgroupHost } from "./cgroup.ts";

/** One value to write into a cgroup's file. */
interface Setting {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/** Makes a cgroup in every version 1 tree and gives it its limits. What exists is kept. */
export function makeCgroupV1(host: CgroupHost, path: string, resources: RuntimeResources): void {
  for (const [controller, mount] of v1Mounts(host)) {
    if (controller === "cpuset") makeCpuset(mount, path);
    else mkdirSync(join(mount, path), { recursive: true, mode: 0o755 });
  }
  applyLimitsV1(host, path, resources);
}

/**
 * Writes limits into an existing cgroup. `invalid-argument` when the kernel refuses a value, `failed-precondition` when
 * the host has no such controller.
 */
export function applyLimitsV1(host: CgroupHost, path: string, resources: RuntimeResources): void {
  for (const setting of settingsOf(resources)) writeSetting(host, path, setting);
  writeMemory(host, path, resources.memory);
  for (const rule of resources.devices ?? []) writeSetting(host, path, deviceSetting(rule));
}

/** The `tasks` files through which a thread moves itself, one per tree. */
export function taskFilesV1(host: CgroupHost, path: string): string[] {
  return [...new Set(v1Mounts(host).map(([, mount]) => join(mount, path, "tasks")))];
}

/** Stops or lets go all processes of a cgroup. Stopping takes a while: see `standsStillV1`. */
export function freezeV1(host: CgroupHost, path: string, frozen: boolean): void {
  writeSetting(host, path, { controller: "freezer", file: "freezer.state", value: frozen ? "FROZEN" : "THAWED" });
}

/** Whether every process of a cgroup that was told to stop has done so. */
export function standsStillV1(host: CgroupHost, path: string): boolean {
  const mount = host.mounts.get("freezer");
  return mount !== undefined && readFileSync(join(mount, path, "freezer.state"), "utf8").trim() === "FROZEN";
}

function v1Mounts(host: CgroupHost): [controller: string, mount: string][] {
  return [...host.mounts].filter(([controller]) => controller !== "unified");
}

/** A cpuset accepts no process until it has processors and memory nodes: each level takes its parent's. */
function makeCpuset(mount: string, path: string): void {
  const folder = join(mount, path);
  if (existsSync(folder)) return;
  const parent = dirname(path);
  if (parent !== "/" && parent !== ".") makeCpuset(mount, parent);
  mkdirSync(folder, { mode: 0o755 });
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    writeFileSync(join(folder, file), readFileSync(join(dirname(folder), file), "utf8").trim());
  }
}

function settingsOf({ cpu, pids, blockIO }: RuntimeResources): Setting[] {
  const settings: Setting[] = [];
  const add = (controller: string, file: string, value: number | string | undefined) => {
    if (value !== undefined && value !== "") settings.push({ controller, file, value: String(value) });
  };
  add("cpu", "cpu.shares", cpu?.shares || undefined);
  add("cpu", "cpu.cfs_period_us", cpu?.period || undefined);
  add("cpu", "cpu.cfs_quota_us", cpu?.quota || undefined);
  add("cpu", "cpu.rt_period_us", cpu?.realtimePeriod || undefined);
  add("cpu", "cpu.rt_runtime_us", cpu?.realtimeRuntime || undefined);
  add("cpuset", "cpuset.cpus", cpu?.cpus);
  add("cpuset", "cpuset.mems", cpu?.mems);
  if (pids) add("pids", "pids.max", pids.limit > 0 ? pids.limit : "max");
  add("blkio", "blkio.weight", blockIO?.weight || undefined);
  for (const { major, minor, weight } of blockIO?.weightDevice ?? []) {
    add("blkio", "blkio.weight_device", `${major}:${minor} ${weight}`);
  }
  const throttles = [
    ["blkio.throttle.read_bps_device", blockIO?.throttleReadBpsDevice],
    ["blkio.throttle.write_bps_device", blockIO?.throttleWriteBpsDevice],
    ["blkio.throttle.read_iops_device", blockIO?.throttleReadIOPSDevice],
    ["blkio.throttle.write_iops_device", blockIO?.throttleWriteIOPSDevice],
  ] as const;
  for (const [file, rules] of throttles) {
    for (const { major, minor, rate } of rules ?? []) add("blkio", file, `${major}:${minor} ${rate}`);
  }
  return settings;
}

/**
 * Memory and memory-plus-swap bound each other: the one that grows past the other goes last. The kernel takes -1 for
 * unlimited.
 */
function writeMemory(host: CgroupHost, path: string, memory: RuntimeResources["memory"]): void {
  if (!memory) return;
  const set = (file: string, value: number | undefined) => {
    if (value !== undefined) writeSetting(host, path, { controller: "memory", file, value: String(value) });
  };
  const limit = () => set("memory.limit_in_bytes", memory.limit || undefined);
  const swap = () => set("memory.memsw.limit_in_bytes", memory.swap || undefined);
  const current = readNumber(host, path, "memory.memsw.limit_in_bytes");
  const grows = memory.swap === -1 || (memory.limit ?? 0) > current;
  for (const write of grows ? [swap, limit] : [limit, swap]) write();
  set("memory.soft_limit_in_bytes", memory.reservation || undefined);
  set("memory.swappiness", memory.swappiness);
  if (memory.disableOOMKiller !== undefined) set("memory.oom_control", memory.disableOOMKiller ? 1 : 0);
}

function readNumber(host: CgroupHost, path: string, file: string): number {
  const mount = host.mounts.get("memory");
  if (mount === undefined || !existsSync(join(mount, path, file))) return Number.POSITIVE_INFINITY;
  return Number(readFileSync(join(mount, path, file), "utf8"));
}

function deviceSetting({ allow, type = "a", major = -1, minor = -1, access = "rwm" }: DeviceRule): Setting {
  const number = (value: number) => (value < 0 ? "*" : String(value));
  return {
    controller: "devices",
    file: allow ? "devices.allow" : "devices.deny",
    value: type === "a" ? "a" : `${type} ${number(major)}:${number(minor)} ${access}`,
  };
}

function writeSetting(host: CgroupHost, path: string, { controller, file, value }: Setting): void {
  const mount = host.mounts.get(controller);
  if (mount === undefined) {
    throw new HavreError("failed-precondition", `This host has no ${controller} cgroup: ${file} cannot be set`);
  }
  const target = join(mount, path, file);
  try {
    writeFileSync(target, value);
  } catch (error) {
    const code = errnoOf(error);
    // Old schedulers' weights are called by another name; a kernel without either has no such limit.
    if (code === "ENOENT" && file === "blkio.weight") {
      writeSetting(host, path, { controller, file: "blkio.bfq.weight", value });
      return;
    }
    const why = code === "ENOENT" ? "the kernel has no such limit" : `the kernel refuses it (${code})`;
    throw new HavreError("invalid-argument", `Cannot set ${basename(target)} to ${value}: ${why}`, { cause: error });
  }
}
