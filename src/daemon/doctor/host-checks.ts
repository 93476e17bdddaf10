import { type Check, fail, ok, warn } from "./check.ts";
import type { DoctorFacts, ToolName } from "./facts.ts";

const GIB = 2 ** 30;
const MIB = 2 ** 20;

/** statfs(2) magic numbers. */
const FILE_SYSTEMS: ReadonlyMap<number, { readonly name: string; readonly overlay: "yes" | "no" | "maybe" }> = new Map([
  [0xef53, { name: "ext4", overlay: "yes" }],
  [0x58465342, { name: "xfs", overlay: "yes" }],
  [0x9123683e, { name: "btrfs", overlay: "yes" }],
  [0x01021994, { name: "tmpfs", overlay: "yes" }],
  [0xf2f52010, { name: "f2fs", overlay: "yes" }],
  [0x2fc12fc1, { name: "zfs", overlay: "maybe" }],
  [0x65735546, { name: "fuse", overlay: "maybe" }],
  [0x794c7630, { name: "overlay", overlay: "no" }],
  [0x6969, { name: "nfs", overlay: "no" }],
  [0xff534d42, { name: "cifs", overlay: "no" }],
  [0xfe534d42, { name: "smb", overlay: "no" }],
  [0x01021997, { name: "9p", overlay: "no" }],
]);

interface ToolNeed {
  readonly name: ToolName;
  readonly status: "warn" | "fail";
  readonly consequence: string;
  readonly debian: string;
}

const NEEDS: readonly ToolNeed[] = [
  { name: "conmon", status: "fail", consequence: "No container can be started", debian: "conmon" },
  { name: "nft", status: "warn", consequence: "The default network cannot be used", debian: "nftables" },
  { name: "catatonit", status: "warn", consequence: "--init cannot be used", debian: "catatonit" },
];

function install(debian: string): string {
  return `Install ${debian} (Debian: apt install ${debian})`;
}

export function programs({ tools }: DoctorFacts): Check[] {
  return NEEDS.map(({ name, status, consequence, debian }) => {
    const tool = tools.get(name);
    if (tool) return ok(name, `${tool.version} (${tool.path})`);
    return (status === "fail" ? fail : warn)(name, "not installed", consequence, install(debian));
  });
}

export function runtimes({ tools }: DoctorFacts): Check {
  const found = (["crun", "runc"] as const).flatMap((name) => tools.get(name)?.version ?? []);
  if (found.length === 0)
    return fail("runtimes", "neither crun nor runc", "No container can be started", install("crun"));
  if (tools.has("crun")) return ok("runtimes", found.join(", "));
  return warn("runtimes", found.join(", "), "Starts take about twice as long as with crun", install("crun"));
}

/** Chains of others that may drop what containers send. Our own iptables chain passes the FORWARD of iptables. */
export function firewall({ forwardChains, iptables, bridge, uid }: DoctorFacts): Check {
  const name = "firewall";
  if (uid !== 0) return warn(name, "not readable", "It is unknown whether rules stand in the way", "Run as root");
  if (!forwardChains)
    return warn(name, "nft is not installed", "The default network cannot be used", install("nftables"));
  const others = forwardChains.filter(({ family, table }) => family !== "bridge" && !table.startsWith("havre-"));
  // The daemon puts its bridges into the zone that accepts what our own rules let through.
  const strangers = others.filter(({ table }) => table !== "firewalld");
  const consequence = "Containers of the default network do not get out of this host";
  const dropping = strangers.find(
    ({ family, table, name: chain, policy }) =>
      policy === "drop" && !(family === "ip" && table === "filter" && chain === "FORWARD"),
  );
  if (dropping) {
    const chain = `${dropping.family} ${dropping.table} ${dropping.name}`;
    const remedy = `nft insert rule ${chain} iifname ${bridge} accept; nft insert rule ${chain} oifname ${bridge} accept`;
    return warn(name, `chain ${chain} drops what it does not know`, consequence, remedy);
  }
  const drops = iptables?.includes("-P FORWARD DROP") ?? false;
  return ok(
    name,
    others.length > strangers.length
      ? "firewalld judges forwarded packets; Havre's bridges are in its zone trusted"
      : drops
        ? "iptables drops forwarded packets; Havre passes through a chain of its own"
        : "nothing in the way",
  );
}

/** A port that the host's own firewall guards is let in by a copy of the packet: nothing else passes a drop after it. */
export function firewallTurn({ duplicatesPackets }: DoctorFacts): readonly Check[] {
  if (duplicatesPackets === undefined) return [];
  if (duplicatesPackets) return [ok("packet copies", "nft_dup_ipv4 and nft_dup_ipv6")];
  return [
    warn(
      "packet copies",
      "the kernel has no nft_dup_ipv4 or nft_dup_ipv6",
      "Published ports cannot obey this host's firewall",
      "Run a kernel built with CONFIG_NFT_DUP_IPV4 and CONFIG_NFT_DUP_IPV6, or open ports by havre daemon --open-ports",
    ),
  ];
}

export function openFiles({ host }: DoctorFacts): Check {
  const { soft, hard } = host.limits.nofile ?? { soft: 1024, hard: 1024 };
  const found = `${soft ?? "unlimited"}, at most ${hard ?? "unlimited"}`;
  if (hard === undefined || hard >= 8192) return ok("open files", found);
  return warn(
    "open files",
    found,
    "Many containers or clients at once may be refused",
    "Raise LimitNOFILE of the service, or ulimit -n",
  );
}

export function inotify({ inotifyInstances, inotifyWatches }: DoctorFacts): Check {
  const found = `${inotifyInstances} instances, ${inotifyWatches} watches per user`;
  if (inotifyInstances >= 128 && inotifyWatches >= 8192) return ok("inotify", found);
  const remedy = "Set sysctl fs.inotify.max_user_instances=512 and fs.inotify.max_user_watches=524288";
  return warn("inotify", found, "Programs in containers that watch files may fail", remedy);
}

export function processes({ pidMax, threadsMax }: DoctorFacts): Check {
  const bound = Math.min(pidMax, threadsMax);
  const found = `up to ${bound} processes and threads on this host`;
  if (bound >= 16384) return ok("processes", found);
  return warn("processes", found, "Many containers at once may fail to start", "Set sysctl kernel.pid_max=4194304");
}

export function disk({ disk: { path, type, free, total, freeInodes, totalInodes } }: DoctorFacts): Check[] {
  const known = FILE_SYSTEMS.get(type);
  const system = known?.name ?? `type 0x${type.toString(16)}`;
  const room = `${size(free)} of ${size(total)} free on ${path}`;
  const fewInodes = totalInodes > 0 && freeInodes < 100_000;
  const space =
    free < 2 * GIB || fewInodes
      ? warn(
          "disk space",
          fewInodes ? `${room}, ${freeInodes} files can be made` : room,
          "Pulling images and writing in containers may fail",
          "Free space with 'havre system prune', or use another --root",
        )
      : ok("disk space", room);
  if (known?.overlay === "yes") return [space, ok("file system", `${system} at ${path}`)];
  const remedy = "Use a --root on ext4, xfs or btrfs";
  const found = `${system} at ${path}`;
  if (known?.overlay === "no")
    return [space, fail("file system", found, "Containers cannot have a writable layer on it", remedy)];
  return [space, warn("file system", found, "Containers may not get a writable layer on it", remedy)];
}

export function memory({ memory: { total, available } }: DoctorFacts): Check {
  const found = `${size(available)} of ${size(total)} available`;
  if (available >= 256 * MIB) return ok("memory", found);
  return warn("memory", found, "Containers may be killed for want of memory", "Stop something, or add memory or swap");
}

export function forwarding({ host }: DoctorFacts): Check {
  if (host.ipv4Forwarding) return ok("forwarding", "on");
  return ok("forwarding", "off; the daemon turns it on for the default network");
}

function size(bytes: number): string {
  return bytes >= GIB ? `${(bytes / GIB).toFixed(1)} GiB` : `${(bytes / MIB).toFixed(0)} MiB`;
}
