import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cpus, hostname, release, totalmem } from "node:os";
import { join } from "node:path";
import { errnoOf } from "../base/mod.ts";
import { ALL_CAPABILITIES } from "../policy/mod.ts";
import { landlockVersion } from "../runtime/mod.ts";

/** undefined: unlimited. */
export interface Limit {
  readonly soft: number | undefined;
  readonly hard: number | undefined;
}

/** Which limits this host's cgroups can hold. */
export interface LimitSupport {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly memoryReservation: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly kernelMemory: boolean;
  readonly cpuShares: boolean;
  readonly cpuCfs: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuset: boolean;
  readonly pids: boolean;
  readonly blkioWeight: boolean;
  readonly blkioWeightDevice: boolean;
  readonly blkioReadBps: boolean;
  readonly blkioWriteBps: boolean;
  readonly blkioReadIops: boolean;
  readonly blkioWriteIops: boolean;
}

/** What decisions about containers need to know of this host; read once, when the daemon starts. */
export interface HostFacts {
  readonly hostname: string;
  /** Go's name: `amd64`, `arm64`, … */
  readonly architecture: string;
  /** Kernel release. */
  readonly kernel: string;
  readonly cgroupVersion: 1 | 2;
  readonly cgroupNamespaces: boolean;
  readonly onlineCpus: number;
  /** CPUs and memory nodes that may be used, as `0-3,7`; empty: unknown. */
  readonly cpus: string;
  readonly mems: string;
  /** Bytes. */
  readonly memory: number;
  /** Capabilities the daemon itself has and so can give. */
  readonly capabilities: readonly string[];
  readonly seccomp: boolean;
  /** Version of Landlock; 0: none. */
  readonly landlock: number;
  /** The kernel has AppArmor, and profiles can be loaded: securityfs is mounted, the program that does it is there. */
  readonly apparmor: boolean;
  readonly selinux: boolean;
  readonly ipv4Forwarding: boolean;
  /** The daemon's own resource limits by ulimit name (`nofile`), which containers inherit. */
  readonly limits: Readonly<Record<string, Limit>>;
  readonly supports: LimitSupport;
}

const APPARMOR_PARSERS = ["/usr/sbin/apparmor_parser", "/sbin/apparmor_parser"];

const ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  arm64: "arm64",
  arm: "arm",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
};

/** Rows of /proc/self/limits by ulimit name. */
const LIMIT_ROWS: Readonly<Record<string, string>> = {
  "Max cpu time": "cpu",
  "Max file size": "fsize",
  "Max data size": "data",
  "Max stack size": "stack",
  "Max core file size": "core",
  "Max resident set": "rss",
  "Max processes": "nproc",
  "Max open files": "nofile",
  "Max locked memory": "memlock",
  "Max address space": "as",
  "Max file locks": "locks",
  "Max pending signals": "sigpending",
  "Max msgqueue size": "msgqueue",
  "Max nice priority": "nice",
  "Max realtime priority": "rtprio",
  "Max realtime timeout": "rttime",
};

function text(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch (error) {
    const code = errnoOf(error);
    if (code === "ENOENT" || code === "EACCES" || code === "ENOTDIR") return "";
    throw error;
  }
}

/** Capabilities from a mask as /proc/PID/status prints it. */
export function capabilitiesOf(mask: string): string[] {
  const bits = BigInt(`0x${mask || "0"}`);
  return ALL_CAPABILITIES.filter((_, number) => (bits >> BigInt(number)) & 1n);
}

export function parseLimits(table: string): Record<string, Limit> {
  const limits: Record<string, Limit> = {};
  const value = (word: string) => (word === "unlimited" ? undefined : Number(word));
  for (const line of table.split("\n")) {
    const [, row, soft, hard] = /^(Max .+?)\s{2,}(\S+)\s+(\S+)/.exec(line) ?? [];
    const name = row && LIMIT_ROWS[row];
    if (name && soft !== undefined && hard !== undefined) limits[name] = { soft: value(soft), hard: value(hard) };
  }
  return limits;
}

function supportV1(cgroups: string): LimitSupport {
  const has = (controller: string, file: string) => existsSync(join(cgroups, controller, file));
  return {
    memory: has("memory", "memory.limit_in_bytes"),
    swap: has("memory", "memory.memsw.limit_in_bytes"),
    memoryReservation: has("memory", "memory.soft_limit_in_bytes"),
    swappiness: has("memory", "memory.swappiness"),
    oomKillDisable: has("memory", "memory.oom_control"),
    kernelMemory: has("memory", "memory.kmem.limit_in_bytes"),
    cpuShares: has("cpu", "cpu.shares"),
    cpuCfs: has("cpu", "cpu.cfs_quota_us"),
    cpuRealtime: has("cpu", "cpu.rt_period_us") && has("cpu", "cpu.rt_runtime_us"),
    cpuset: has("cpuset", "cpuset.cpus"),
    pids: existsSync(join(cgroups, "pids")),
    blkioWeight: has("blkio", "blkio.weight"),
    blkioWeightDevice: has("blkio", "blkio.weight_device"),
    blkioReadBps: has("blkio", "blkio.throttle.read_bps_device"),
    blkioWriteBps: has("blkio", "blkio.throttle.write_bps_device"),
    blkioReadIops: has("blkio", "blkio.throttle.read_iops_device"),
    blkioWriteIops: has("blkio", "blkio.throttle.write_iops_device"),
  };
}

/**
 * Whether groups of this host have `file`. The root group lacks many: a child's or the daemon's own is looked at. A host
 * without any child group yet is given the benefit of the doubt.
 */
function groupsHave(cgroups: string, ...files: readonly string[]): boolean {
  const own = /^0::(.*)$/m.exec(text("/proc/self/cgroup"))?.[1] ?? "/";
  const children = readdirSync(cgroups, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const groups = [...(own === "/" ? [] : [join(cgroups, own)]), ...children.map(({ name }) => join(cgroups, name))];
  return groups.length === 0 || groups.some((group) => files.some((file) => existsSync(join(group, file))));
}

/** Version 2: a controller that is there has all its limits, but for those a kernel may be built without. */
export function supportV2(cgroups: string): LimitSupport {
  const controllers = new Set(text(join(cgroups, "cgroup.controllers")).split(/\s+/));
  const memory = controllers.has("memory");
  const io = controllers.has("io");
  const cpu = controllers.has("cpu");
  const weight = io && groupsHave(cgroups, "io.weight", "io.bfq.weight");
  return {
    memory,
    swap: memory && groupsHave(cgroups, "memory.swap.max"),
    memoryReservation: memory,
    swappiness: false,
    oomKillDisable: false,
    kernelMemory: false,
    cpuShares: cpu,
    cpuCfs: cpu,
    cpuRealtime: false,
    cpuset: controllers.has("cpuset"),
    pids: controllers.has("pids"),
    blkioWeight: weight,
    blkioWeightDevice: weight,
    blkioReadBps: io,
    blkioWriteBps: io,
    blkioReadIops: io,
    blkioWriteIops: io,
  };
}

/** Looks at /proc and /sys of this host. */
export function readHostFacts(): HostFacts {
  const cgroups = "/sys/fs/cgroup";
  const cgroupVersion = existsSync(join(cgroups, "cgroup.controllers")) ? 2 : 1;
  const status = text("/proc/self/status");
  const cpusetFile = (name: string) =>
    cgroupVersion === 2
      ? text(join(cgroups, `cpuset.${name}.effective`))
      : text(join(cgroups, "cpuset", `cpuset.${name}`));
  return {
    hostname: hostname(),
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    kernel: release(),
    cgroupVersion,
    cgroupNamespaces: existsSync("/proc/self/ns/cgroup"),
    onlineCpus: cpus().length,
    cpus: cpusetFile("cpus"),
    mems: cpusetFile("mems"),
    memory: totalmem(),
    capabilities: capabilitiesOf(/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? ""),
    seccomp: /^Seccomp:/m.test(status),
    landlock: landlockVersion(),
    apparmor:
      text("/sys/module/apparmor/parameters/enabled").startsWith("Y") &&
      existsSync("/sys/kernel/security/apparmor") &&
      APPARMOR_PARSERS.some((path) => existsSync(path)),
    selinux: existsSync("/sys/fs/selinux/enforce"),
    // Not a constant: the engine's own network turns it on.
    get ipv4Forwarding() {
      return text("/proc/sys/net/ipv4/ip_forward") !== "0";
    },
    limits: parseLimits(text("/proc/self/limits")),
    supports: cgroupVersion === 2 ? supportV2(cgroups) : supportV1(cgroups),
  };
}
