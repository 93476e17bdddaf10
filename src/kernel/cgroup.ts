import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";

const ROOT = "/sys/fs/cgroup";

/** Which cgroup trees this host has: version 2 alone, or version 1 controllers by name (with or without version 2 beside them). */
export interface CgroupHost {
  readonly version: 1 | 2;
  /** Mount point by controller (version 1); `unified` for the version 2 tree where there is one. */
  readonly mounts: ReadonlyMap<string, string>;
}

export function detectCgroups(): CgroupHost {
  if (existsSync(join(ROOT, "cgroup.controllers"))) return { version: 2, mounts: new Map([["unified", ROOT]]) };
  const mounts = new Map<string, string>();
  for (const line of readFileSync("/proc/self/mountinfo", "utf8").split("\n")) {
    // mountinfo: … mount point at the fifth field; after " - ": type, source, super options.
    const [head = "", tail = ""] = line.split(" - ");
    const mountPoint = head.split(" ")[4];
    const [type, , options = ""] = tail.split(" ");
    if (mountPoint === undefined) continue;
    if (type === "cgroup2" && !mounts.has("unified")) mounts.set("unified", mountPoint);
    if (type !== "cgroup") continue;
    for (const option of options.split(",")) {
      const name = option.startsWith("name=") ? option.slice(5) : option;
      if (!mounts.has(name) && (option.startsWith("name=") || CONTROLLERS.has(option))) mounts.set(name, mountPoint);
    }
  }
  return { version: 1, mounts };
}

const CONTROLLERS = new Set(
  "cpu cpuacct cpuset memory devices freezer blkio pids net_cls net_prio hugetlb perf_event rdma misc".split(" "),
);

/** Every distinct folder of a cgroup path, one per tree, whether it exists or not. */
export function cgroupFolders(host: CgroupHost, path: string): string[] {
  return [...new Set(host.mounts.values())].map((mount) => join(mount, path));
}

/** The text of a cgroup file; undefined when the cgroup or file is not there. */
export function readCgroupFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "ENODEV" || code === "ENOTSUP" || code === "EOPNOTSUPP") return undefined;
    throw error;
  }
}

/** Host process ids in a cgroup folder and all below it. */
export function cgroupProcesses(folder: string): number[] {
  const text = readCgroupFile(join(folder, "cgroup.procs"));
  if (text === undefined) return [];
  const own = text.split("\n").filter(Boolean).map(Number);
  return [...own, ...subfolders(folder).flatMap((child) => cgroupProcesses(child))];
}

/** Removes an empty cgroup and all below it. False: a process is still in it. */
export function removeCgroup(folder: string): boolean {
  for (const child of subfolders(folder)) if (!removeCgroup(child)) return false;
  try {
    rmdirSync(folder);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EBUSY") return false;
    if (code !== "ENOENT") throw error;
  }
  return true;
}

function subfolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** True while the processes of the cgroup are stopped by the freezer. */
export function isFrozen(host: CgroupHost, path: string): boolean {
  if (host.version === 2) {
    const events = readCgroupFile(join(host.mounts.get("unified") ?? "", path, "cgroup.events")) ?? "";
    return /^frozen 1$/m.test(events);
  }
  const freezer = host.mounts.get("freezer");
  const state = freezer === undefined ? undefined : readCgroupFile(join(freezer, path, "freezer.state"));
  return state !== undefined && state.trim() !== "THAWED";
}

/** Lets the processes of a version 1 cgroup run again: frozen ones do not even die. */
export function thaw(host: CgroupHost, path: string): void {
  const freezer = host.mounts.get("freezer");
  if (host.version === 2 || freezer === undefined) return;
  try {
    writeFileSync(join(freezer, path, "freezer.state"), "THAWED");
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  }
}

/** Host process ids in a cgroup, in whichever trees have it; sorted, each once. */
export function processesIn(host: CgroupHost, path: string): number[] {
  const pids = cgroupFolders(host, path).flatMap((folder) => cgroupProcesses(folder));
  return [...new Set(pids)].sort((a, b) => a - b);
}
