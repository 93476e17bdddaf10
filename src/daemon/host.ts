import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { arch, hostname, release } from "node:os";
import { join } from "node:path";
import type { HostFacts } from "../engine/mod.ts";
import { HOST_USER, MAKE_HOST_USER, readSubIds } from "../identities/mod.ts";
import type { RegistrySettings } from "../images/mod.ts";
import type { AuditedHost } from "../policy/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { DaemonOptions } from "./options.ts";
import { registrySettings } from "./registries.ts";

/** What this host and this daemon are, for `info`. Read when asked: nothing here is on a start's path. */
export interface HostQuestion {
  readonly root: string;
  readonly facts: HostFacts;
  readonly runtime: Runtime;
  readonly defaultRuntime: string;
  readonly initPath: string | undefined;
  readonly registries: RegistrySettings;
  /** Whose user ids containers have that ask for none. */
  readonly users: "host" | "own";
}

const MACHINES: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64", arm: "armv7l" };

export function hostInfo({ root, facts, runtime, defaultRuntime, initPath, registries, users }: HostQuestion) {
  const os = osRelease();
  const { supports } = facts;
  return {
    id: daemonId(root),
    hostname: hostname(),
    kernelVersion: release(),
    operatingSystem: os.PRETTY_NAME ?? "Linux",
    osVersion: os.VERSION_ID ?? "",
    machine: MACHINES[arch()] ?? arch(),
    cpus: facts.onlineCpus,
    memory: facts.memory,
    rootDirectory: root,
    cgroupVersion: facts.cgroupVersion,
    cgroupDriver: "cgroupfs",
    defaultRuntime,
    runtimes: runtime.runtimes(),
    initPath,
    driver: "overlay2",
    driverStatus: [["Native Overlay Diff", "true"]] as const,
    logDrivers: ["json-file", "local", "none"],
    defaultLogDriver: "json-file",
    securityOptions: [
      ...(facts.apparmor ? ["name=apparmor"] : []),
      ...(facts.seccomp ? ["name=seccomp,profile=builtin"] : []),
      ...(facts.cgroupVersion === 2 ? ["name=cgroupns"] : []),
      ...(users === "own" ? ["name=userns"] : []),
    ],
    limits: {
      memory: supports.memory,
      swap: supports.swap,
      kernelMemoryTcp: supports.kernelMemory,
      oomKillDisable: supports.oomKillDisable,
      cpuQuota: supports.cpuCfs,
      cpuShares: supports.cpuShares,
      cpuSet: supports.cpuset,
      pids: supports.pids,
    },
    ipv4Forwarding: sysctl("net/ipv4/ip_forward"),
    bridgeNfIptables: sysctl("net/bridge/bridge-nf-call-iptables"),
    bridgeNfIp6tables: sysctl("net/bridge/bridge-nf-call-ip6tables"),
    openFiles: readOpenFiles(),
    labels: [],
    registries,
    warnings: [],
  };
}

/** Made once per root folder and kept. */
function daemonId(root: string): string {
  const path = join(root, "daemon-id");
  if (!existsSync(path)) writeFileSync(path, `${randomUUID()}\n`, { mode: 0o644 });
  return readFileSync(path, "utf8").trim();
}

function osRelease(): Readonly<Record<string, string>> {
  const path = ["/etc/os-release", "/usr/lib/os-release"].find((candidate) => existsSync(candidate));
  if (path === undefined) return {};
  const lines = readFileSync(path, "utf8").split("\n");
  return Object.fromEntries(
    lines.flatMap((line) => {
      const match = /^(\w+)=(.*)$/.exec(line);
      return match ? [[match[1], (match[2] ?? "").replace(/^"|"$/g, "")]] : [];
    }),
  );
}

function sysctl(name: string): boolean {
  const path = `/proc/sys/${name}`;
  return existsSync(path) && readFileSync(path, "utf8").trim() === "1";
}

function readOpenFiles(): number {
  return Number(readFileSync("/proc/sys/fs/file-nr", "utf8").split("\t")[0]);
}

/** What the ten practices ask of this host. Read when asked. */
export function auditedHost(options: DaemonOptions, facts: HostFacts): AuditedHost {
  const socket = join(options.run, "havre.sock");
  const deviceOf = (path: string): number => statSync(path).dev;
  return {
    socketMode: existsSync(socket) ? statSync(socket).mode & 0o777 : undefined,
    insecureRegistries: registrySettings(options).insecure,
    accessControl: facts.selinux ? "SELinux" : facts.apparmor ? "AppArmor" : undefined,
    userRange: readSubIds(HOST_USER) !== undefined,
    makeUserRange: MAKE_HOST_USER,
    ownFileSystem: deviceOf(options.root) !== deviceOf("/"),
    root: options.root,
  };
}
