import { expect, test } from "bun:test";
import { type DoctorFacts, diagnose } from "./mod.ts";

const GIB = 2 ** 30;
const tool = (version: string) => ({ path: "/usr/bin/x", version });
const nofile = (hard: number | undefined) => ({ nofile: { soft: 1024, hard } });

const ALL_CAPABILITIES = "SYS_ADMIN NET_ADMIN CHOWN DAC_OVERRIDE FOWNER MKNOD SETUID SETGID KILL SYS_CHROOT".split(" ");

/** A host that lacks nothing. */
const HEALTHY = {
  uid: 0,
  bridge: "havre0",
  kernel: "6.12.3-1-amd64",
  host: {
    capabilities: ALL_CAPABILITIES.map((name) => `CAP_${name}`),
    cgroupVersion: 2,
    seccomp: true,
    apparmor: true,
    selinux: false,
    ipv4Forwarding: true,
    limits: nofile(524288),
  } as unknown as DoctorFacts["host"],
  namespaces: ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"],
  filesystems: ["nodev", "overlay", "erofs", "ext4"],
  loadableModules: [],
  maxUserNamespaces: 100000,
  containerIds: 268304384,
  mountSetattr: true,
  landlock: 6,
  apparmorModule: true,
  controllers: ["cpuset", "cpu", "io", "memory", "pids"],
  hybrid: false,
  tools: new Map([
    ["conmon", tool("conmon version 2.1.6")],
    ["crun", tool("crun version 1.8.1")],
    ["nft", tool("nftables v1.0.6")],
    ["catatonit", tool("catatonit 0.1.7")],
  ]) as DoctorFacts["tools"],
  forwardChains: [{ family: "ip", table: "havre-havre0", name: "forward", policy: "accept" }],
  iptables: undefined,
  duplicatesPackets: true,
  inotifyInstances: 128,
  inotifyWatches: 65536,
  pidMax: 4194304,
  threadsMax: 100000,
  disk: { path: "/var/lib", type: 0xef53, free: 50 * GIB, total: 100 * GIB, freeInodes: 5e6, totalInodes: 6e6 },
  memory: { total: 16 * GIB, available: 8 * GIB },
} satisfies DoctorFacts;

type Change = Partial<Omit<DoctorFacts, "host">> & { readonly host?: Partial<DoctorFacts["host"]> };

const without = (...names: string[]) => new Map([...HEALTHY.tools].filter(([name]) => !names.includes(name)));
const chain = (family: string, table: string, name: string, policy: string) => ({ family, table, name, policy });

function troubles({ host, ...change }: Change): string[] {
  return diagnose({ ...HEALTHY, ...change, host: { ...HEALTHY.host, ...host } })
    .filter(({ status }) => status !== "ok")
    .map(({ status, name }) => `${status} ${name}`);
}

test("a healthy host has no trouble, and every check has a name of its own", () => {
  expect(troubles({})).toEqual([]);
  const names = diagnose(HEALTHY).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

const CASES: readonly (readonly [string, Change, readonly string[]])[] = [
  ["another user", { uid: 1000 }, ["fail rights", "warn firewall"]],
  ["a capability missing", { host: { capabilities: ["CAP_SYS_ADMIN"] } }, ["fail rights"]],
  ["a kernel before 5.2", { kernel: "4.19.0-27-amd64" }, ["fail kernel", "warn erofs"]],
  ["a namespace missing", { namespaces: ["cgroup", "ipc", "mnt", "net", "user", "uts"] }, ["fail namespaces"]],
  ["overlay missing", { filesystems: ["erofs"] }, ["fail overlay"]],
  ["overlay as a module", { filesystems: ["erofs"], loadableModules: ["overlay"] }, []],
  ["an older kernel", { kernel: "6.1.0-18-amd64" }, ["warn erofs"]],
  ["erofs missing", { filesystems: ["overlay"] }, ["warn erofs"]],
  ["user namespaces off", { maxUserNamespaces: 0 }, ["warn user namespaces"]],
  ["no ids set aside", { containerIds: 0 }, ["warn user ids"]],
  ["a kernel before 5.12", { mountSetattr: false }, ["warn id-mapped mounts"]],
  ["no seccomp", { host: { seccomp: false } }, ["warn seccomp"]],
  ["AppArmor without its parser", { host: { apparmor: false } }, ["warn security module"]],
  ["no Landlock", { landlock: 0 }, ["warn landlock"]],
  ["no security module", { host: { apparmor: false } }, ["warn security module"]],
  ["no memory controller", { controllers: ["cpu", "cpuset", "io", "pids"] }, ["warn cgroups"]],
  ["cgroup version 1", { host: { cgroupVersion: 1 }, controllers: ["cpu", "cpuset", "blkio", "memory", "pids"] }, []],
  ["no runtime", { tools: without("crun") }, ["fail runtimes"]],
  [
    "no conmon, no nft",
    { tools: without("conmon", "nft"), forwardChains: undefined },
    ["fail conmon", "warn nft", "warn firewall"],
  ],
  ["no copies of packets", { duplicatesPackets: false }, ["warn packet copies"]],
  ["a few open files", { host: { limits: nofile(4096) } }, ["warn open files"]],
  ["unlimited open files", { host: { limits: nofile(undefined) } }, []],
  ["few inotify instances", { inotifyInstances: 16 }, ["warn inotify"]],
  ["few processes", { pidMax: 4096 }, ["warn processes"]],
  ["a full disk", { disk: { ...HEALTHY.disk, free: GIB } }, ["warn disk space"]],
  ["no room for files", { disk: { ...HEALTHY.disk, freeInodes: 10 } }, ["warn disk space"]],
  [
    "btrfs, which has no fixed number of files",
    { disk: { ...HEALTHY.disk, type: 0x9123683e, freeInodes: 0, totalInodes: 0 } },
    [],
  ],
  ["a root inside a container", { disk: { ...HEALTHY.disk, type: 0x794c7630 } }, ["fail file system"]],
  ["an unknown file system", { disk: { ...HEALTHY.disk, type: 0x1234 } }, ["warn file system"]],
  ["little memory", { memory: { total: GIB, available: GIB / 8 } }, ["warn memory"]],
  ["firewalld", { forwardChains: [chain("inet", "firewalld", "filter_FORWARD", "accept")] }, []],
  ["rules that drop", { forwardChains: [chain("inet", "filter", "forward", "drop")] }, ["warn firewall"]],
  [
    "Docker's or ufw's policy",
    { forwardChains: [chain("ip", "filter", "FORWARD", "drop")], iptables: ["-P FORWARD DROP"] },
    [],
  ],
];

test.each(CASES)("%s", (_, change, expected) => {
  expect(troubles(change)).toEqual([...expected]);
});

test("trouble comes with its consequence and a remedy that names the bridge", () => {
  const facts = { ...HEALTHY, forwardChains: [chain("inet", "filter", "forward", "drop")] };
  expect(diagnose(facts).find(({ name }) => name === "firewall")).toEqual({
    name: "firewall",
    status: "warn",
    found: "chain inet filter forward drops what it does not know",
    consequence: "Containers of the default network do not get out of this host",
    remedy:
      "nft insert rule inet filter forward iifname havre0 accept; nft insert rule inet filter forward oifname havre0 accept",
  });
});
