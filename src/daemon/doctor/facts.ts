import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statfsSync } from "node:fs";
import { freemem, release, totalmem } from "node:os";
import { dirname, resolve } from "node:path";
import { errnoOf } from "../../base/mod.ts";
import { type HostFacts, readHostFacts } from "../../engine/mod.ts";
import { HOST_USER, readSubIds } from "../../identities/mod.ts";
import {
  detectCgroups,
  duplicatesPackets,
  type ForwardChain,
  hasAppArmor,
  hasMountSetattr,
  landlockVersion,
  listForwardChains,
  listIptablesFilter,
} from "../../kernel/mod.ts";

/** A program that Havre starts. */
export interface Tool {
  readonly path: string;
  /** First line of what it says of itself. */
  readonly version: string;
}

export const TOOLS = ["conmon", "crun", "runc", "nft", "catatonit"] as const;
export type ToolName = (typeof TOOLS)[number];

export interface DiskFacts {
  readonly path: string;
  /** statfs(2) magic number. */
  readonly type: number;
  /** Bytes. */
  readonly free: number;
  readonly total: number;
  readonly freeInodes: number;
  /** 0: the file system has no fixed number. */
  readonly totalInodes: number;
}

/** Everything the checks look at. undefined: could not be found out, for want of rights say. */
export interface DoctorFacts {
  readonly uid: number;
  readonly bridge: string;
  readonly kernel: string;
  readonly host: HostFacts;
  /** Kinds the kernel has: `net`, `pid`, … */
  readonly namespaces: readonly string[];
  /** Names in /proc/filesystems. */
  readonly filesystems: readonly string[];
  /** Those of `overlay`, `erofs`, `bridge`, `veth`, `nf_tables` that are modules not loaded yet. */
  readonly loadableModules: readonly string[];
  readonly maxUserNamespaces: number;
  /** User ids set aside for containers; 0: none. */
  readonly containerIds: number;
  readonly mountSetattr: boolean;
  readonly landlock: number;
  /** The kernel has AppArmor, whether or not profiles can be loaded. */
  readonly apparmorModule: boolean;
  readonly controllers: readonly string[];
  /** A version 2 tree beside version 1 controllers. */
  readonly hybrid: boolean;
  readonly tools: ReadonlyMap<ToolName, Tool>;
  readonly forwardChains: readonly ForwardChain[] | undefined;
  readonly iptables: readonly string[] | undefined;
  /** The kernel can send copies of packets elsewhere. */
  readonly duplicatesPackets: boolean | undefined;
  readonly inotifyInstances: number;
  readonly inotifyWatches: number;
  readonly pidMax: number;
  readonly threadsMax: number;
  readonly disk: DiskFacts;
  /** Bytes. */
  readonly memory: { readonly total: number; readonly available: number };
}

const MODULES = ["overlay", "erofs", "bridge", "veth", "nf_tables"];
const TOOL_FOLDERS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Looks at this host. Starts a few programs to ask their version, changes nothing. */
export async function collectFacts(options: { readonly root: string; readonly bridge: string }): Promise<DoctorFacts> {
  const kernel = release();
  const cgroups = detectCgroups();
  const loadable = text(`/lib/modules/${kernel}/modules.dep`);
  const asked = await Promise.all(TOOLS.map(async (name) => [name, await findTool(name)] as const));
  const forwardChains = await unlessRefused(listForwardChains());
  return {
    uid: process.getuid?.() ?? 0,
    bridge: options.bridge,
    kernel,
    host: readHostFacts(),
    namespaces: readdirSync("/proc/self/ns").filter((name) => !name.endsWith("_for_children")),
    filesystems: text("/proc/filesystems").split(/\s+/),
    loadableModules: MODULES.filter((name) => loadable.includes(`/${name}.ko`)),
    maxUserNamespaces: number("/proc/sys/user/max_user_namespaces"),
    containerIds: readSubIds(HOST_USER)?.count ?? 0,
    mountSetattr: hasMountSetattr(),
    landlock: landlockVersion(),
    apparmorModule: hasAppArmor(),
    controllers:
      cgroups.version === 2
        ? text("/sys/fs/cgroup/cgroup.controllers").trim().split(/\s+/)
        : [...cgroups.mounts.keys()].filter((name) => name !== "unified" && name !== "systemd"),
    hybrid: cgroups.version === 1 && cgroups.mounts.has("unified"),
    tools: new Map(asked.flatMap(([name, tool]) => (tool ? [[name, tool] as const] : []))),
    forwardChains,
    iptables: await unlessRefused(listIptablesFilter()),
    duplicatesPackets: await unlessRefused(duplicatesPackets()),
    inotifyInstances: number("/proc/sys/fs/inotify/max_user_instances"),
    inotifyWatches: number("/proc/sys/fs/inotify/max_user_watches"),
    pidMax: number("/proc/sys/kernel/pid_max"),
    threadsMax: number("/proc/sys/kernel/threads-max"),
    disk: diskOf(options.root),
    memory: { total: totalmem(), available: availableMemory() },
  };
}

function diskOf(root: string): DiskFacts {
  let path = resolve(root);
  while (!existsSync(path)) path = dirname(path);
  const { type, bsize, bavail, blocks, ffree, files } = statfsSync(path);
  return { path, type, free: bavail * bsize, total: blocks * bsize, freeInodes: ffree, totalInodes: files };
}

function availableMemory(): number {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text("/proc/meminfo"))?.[1];
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024;
}

async function findTool(name: ToolName): Promise<Tool | undefined> {
  const folders = [...(process.env.PATH ?? "").split(":"), ...TOOL_FOLDERS];
  const folder = folders.find((one) => one !== "" && existsSync(`${one}/${name}`));
  if (folder === undefined) return undefined;
  const path = `${folder}/${name}`;
  const { promise, resolve: done } = Promise.withResolvers<Tool>();
  execFile(path, ["--version"], { timeout: 5000 }, (error, stdout) => {
    done({ path, version: error ? `does not answer: ${error.message}` : (stdout.split("\n")[0] ?? "").trim() });
  });
  return await promise;
}

/** Rules can be read by root only: for others this part stays unknown. */
async function unlessRefused<T>(question: Promise<T>): Promise<T | undefined> {
  try {
    return await question;
  } catch (error) {
    if (process.getuid?.() !== 0) return undefined;
    throw error;
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "EACCES") return "";
    throw error;
  }
}

function number(path: string): number {
  return Number(text(path).trim() || "0");
}
