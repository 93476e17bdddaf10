/**
 * What a root test may leave behind in the kernel, seen before and after: mounts, network namespaces, interfaces,
 * nftables tables, cgroups, processes, loop devices, sockets and pipes in given folders.
 *
 *     const before = takeSnapshot({ folders: [run] });
 *     …
 *     await expectNoLeaks(before);
 *
 * On a machine that others use meanwhile, `only` narrows it to what is the test's own.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename, join } from "node:path";

export type LeakKind =
  | "mount"
  | "network namespace"
  | "interface"
  | "nftables table"
  | "cgroup"
  | "process"
  | "loop device"
  | "file";

/** One thing the kernel holds. `key` tells it from others of its kind, `text` is for people and for `only`. */
export interface Held {
  readonly kind: LeakKind;
  readonly key: string;
  readonly text: string;
}

export interface SnapshotOptions {
  /** Folders in which a socket or a named pipe that stays counts as a leak. */
  readonly folders?: readonly string[];
}

export interface Snapshot {
  readonly held: ReadonlyMap<string, Held>;
  readonly folders: readonly string[];
}

/** Everything held now. Takes a few tens of milliseconds. */
export function takeSnapshot(options: SnapshotOptions = {}): Snapshot {
  const folders = options.folders ?? [];
  const all = [
    ...mounts(),
    ...processesAndNamespaces(),
    ...interfaces(),
    ...nftablesTables(),
    ...cgroups(),
    ...loopDevices(),
    ...folders.flatMap(endpointsIn),
  ];
  return { held: new Map(all.map((held) => [`${held.kind} ${held.key}`, held])), folders };
}

/** What is held now and was not before. */
export function leaksSince(before: Snapshot, only: (held: Held) => boolean = () => true): readonly Held[] {
  const now = takeSnapshot({ folders: before.folders });
  return [...now.held].filter(([key, held]) => !before.held.has(key) && only(held)).map(([, held]) => held);
}

export interface ExpectOptions {
  /** Which things are the test's own; default: all. */
  readonly only?: (held: Held) => boolean;
  /** Milliseconds in which clean-up that goes on after an answer must be over; default 5000. */
  readonly within?: number;
}

/** Fails, listing them, when things are still held that were not before. */
export async function expectNoLeaks(before: Snapshot, options: ExpectOptions = {}): Promise<void> {
  const deadline = performance.now() + (options.within ?? 5000);
  let leaks = leaksSince(before, options.only);
  while (leaks.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    leaks = leaksSince(before, options.only);
  }
  if (leaks.length === 0) return;
  const lines = leaks.map(({ kind, text }) => `  ${kind}: ${text}`);
  throw new Error(`${leaks.length} leaked\n${lines.join("\n")}`);
}

/** A test for `only`: whatever names one of these words (a temporary folder, a bridge, a container's id). */
export function naming(...words: readonly string[]): (held: Held) => boolean {
  return (held) => words.some((word) => held.text.includes(word));
}

function mounts(): Held[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .trimEnd()
    .split("\n")
    .map((line): Held => {
      const [before = "", after = ""] = line.split(" - ");
      const [id = "", , , root = "", target = ""] = before.split(" ");
      const [type = "", source = ""] = after.split(" ");
      const path = unescapeMount(target);
      // The id is not enough alone: the kernel uses it again.
      return { kind: "mount", key: `${id} ${path}`, text: `${path} (${type} ${source} ${root})` };
    });
}

/** mountinfo writes space, tab, newline and backslash as three octal digits: proc(5). */
function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

const SUPERVISORS = new Set(["conmon", "crun", "runc", "catatonit", "docker-init"]);

/** Processes of containers and their supervisors, by pid and start time, and the network namespaces any process is in. */
function processesAndNamespaces(): Held[] {
  const own = readCgroup("self");
  const found: Held[] = [];
  const namespaces = new Map<string, string>();
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
      const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      const comm = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      const [state = "", startTime = ""] = [fields[0], fields[19]];
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").trim();
      if (command === "") continue; // A kernel thread, or a zombie: not what a container holds.
      const cgroup = readCgroup(pid);
      if (state !== "Z" && (SUPERVISORS.has(comm) || cgroup !== own)) {
        found.push({ kind: "process", key: `${pid} ${startTime}`, text: `${pid} ${command} [${cgroup}]` });
      }
      const namespace = readlinkSync(`/proc/${pid}/ns/net`);
      if (!namespaces.has(namespace)) namespaces.set(namespace, `${pid} ${command}`);
    } catch (cause) {
      if (!isGone(cause)) throw cause;
    }
  }
  for (const [namespace, holder] of namespaces) {
    found.push({ kind: "network namespace", key: namespace, text: `${namespace} held by ${holder}` });
  }
  return found;
}

function readCgroup(pid: string): string {
  const paths = readFileSync(`/proc/${pid}/cgroup`, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(":").slice(2).join(":"));
  return [...new Set(paths)].join(" ");
}

/** A process that ended while it was looked at. */
function isGone(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ESRCH" || code === "EACCES";
}

function interfaces(): Held[] {
  return readdirSync("/sys/class/net").map((name): Held => {
    const folder = join("/sys/class/net", name);
    const index = readIfThere(join(folder, "ifindex"));
    const master = existsSync(join(folder, "master")) ? ` in ${basename(readlinkSync(join(folder, "master")))}` : "";
    return { kind: "interface", key: `${index} ${name}`, text: `${name}${master}` };
  });
}

function nftablesTables(): Held[] {
  const listing = spawnSync("nft", ["list", "tables"], { encoding: "utf8" });
  if (listing.error !== undefined || listing.status !== 0) return []; // No nft, or not root: no table can be ours.
  return listing.stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line): Held => ({ kind: "nftables table", key: line, text: line }));
}

/** The engine's own group, in which all containers' stand: it stays when they go, whoever made it first. */
const ENGINE_CGROUP = /^\/sys\/fs\/cgroup(?:\/[\w,-]+)?\/havre$/;

function cgroups(): Held[] {
  const base = "/sys/fs/cgroup";
  if (!existsSync(base)) return [];
  const found: Held[] = [];
  const walk = (folder: string): void => {
    for (const entry of foldersIn(folder)) {
      const path = join(folder, entry);
      if (!ENGINE_CGROUP.test(path)) found.push({ kind: "cgroup", key: path, text: path });
      walk(path);
    }
  };
  walk(base);
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (cause) {
    if (isGone(cause)) return [];
    throw cause;
  }
}

function loopDevices(): Held[] {
  if (!existsSync("/sys/block")) return [];
  return readdirSync("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .flatMap((name): Held[] => {
      const backing = readIfThere(join("/sys/block", name, "loop/backing_file"));
      return backing === "" ? [] : [{ kind: "loop device", key: `${name} ${backing}`, text: `${name} ${backing}` }];
    });
}

function endpointsIn(folder: string): Held[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isSocket() || entry.isFIFO())
    .map((entry): Held => {
      const path = join(entry.parentPath, entry.name);
      return { kind: "file", key: path, text: path };
    });
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (cause) {
    if (isGone(cause) || (cause as NodeJS.ErrnoException).code === "EINVAL") return "";
    throw cause;
  }
}
