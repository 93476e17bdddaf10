import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync, readFileSync, statfsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { Places } from "../../../context.ts";
import { binarySize } from "../../../output/units.ts";
import { broken, type Finding, fine, weak } from "./finding.ts";

/** Everything that decides whether and how containers run on this host. Reads only; changes nothing. */
export async function checkHost(places: Places): Promise<readonly Finding[]> {
  return [
    privileges(),
    kernel(),
    ...cgroups(),
    ...programs(),
    ...fileSystems(),
    ...namespaces(),
    firewall(),
    forwarding(),
    security("seccomp", seccompPresent(), "System calls of containers are not filtered"),
    security(
      "AppArmor",
      existsSync("/sys/kernel/security/apparmor"),
      "AppArmor profiles asked for are left out, with a warning",
    ),
    openFiles(),
    space(places.root),
    sockets(places),
  ];
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}

function privileges(): Finding {
  if (process.getuid?.() === 0) return fine("Privileges", "root");
  return broken(
    "Privileges",
    "not root",
    "The daemon mounts file systems and makes namespaces",
    "Run havre as root, or use a daemon that runs as root",
  );
}

const OLDEST = [5, 2];
const RECOMMENDED = [5, 11];

function kernel(): Finding {
  const release = read("/proc/sys/kernel/osrelease");
  const [major = 0, minor = 0] = release.split(".").map(Number.parseFloat);
  const before = ([wantMajor = 0, wantMinor = 0]: readonly number[]) =>
    major < wantMajor || (major === wantMajor && minor < wantMinor);
  if (before(OLDEST))
    return broken(
      "Kernel",
      release,
      "New mount and clone calls are missing",
      `Boot a kernel of at least ${OLDEST.join(".")}`,
    );
  if (before(RECOMMENDED))
    return weak(
      "Kernel",
      release,
      "Overlay mounts lack newer options, some sandboxes start slower",
      `A kernel of at least ${RECOMMENDED.join(".")} is better`,
    );
  return fine("Kernel", release);
}

function cgroups(): Finding[] {
  const isV2 = existsSync("/sys/fs/cgroup/cgroup.controllers");
  const wanted = ["cpu", "cpuset", "memory", "pids", isV2 ? "io" : "blkio"];
  const present = isV2
    ? read("/sys/fs/cgroup/cgroup.controllers").split(/\s+/)
    : wanted.filter((name) => existsSync(`/sys/fs/cgroup/${name}`));
  if (present.length === 0)
    return [
      broken(
        "Control groups",
        "not mounted",
        "Containers cannot be limited, frozen or killed as a whole",
        "Mount cgroup2 on /sys/fs/cgroup",
      ),
    ];
  const version = isV2 ? "version 2" : `version 1${existsSync("/sys/fs/cgroup/unified") ? " (hybrid)" : ""}`;
  const missing = wanted.filter((name) => !present.includes(name));
  const head = fine("Control groups", version);
  if (missing.length === 0) return [head, fine("Controllers", wanted.join(", "))];
  return [
    head,
    weak(
      "Controllers",
      `${missing.join(", ")} missing`,
      "Limits of these kinds are refused or left out",
      "Enable them in the kernel's command line or in systemd",
    ),
  ];
}

/** The file a program's name stands for, as a shell would find it. */
export function which(name: string): string | undefined {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/usr/libexec/podman",
  ];
  for (const folder of folders) {
    if (folder === "") continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not in this one.
    }
  }
  return undefined;
}

function versionOf(path: string): string {
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8", timeout: 3000 });
  return (stdout ?? "").split("\n")[0]?.trim() || path;
}

function programs(): Finding[] {
  const install = (name: string) => `Install it: apt-get install ${name} (or your distribution's package of that name)`;
  const needed = (name: string, purpose: string) => {
    const path = which(name);
    return path ? fine(name, versionOf(path)) : broken(name, "not found", purpose, install(name));
  };
  const useful = (name: string, purpose: string, package_ = name) => {
    const path = which(name);
    return path ? fine(name, path) : weak(name, "not found", purpose, install(package_));
  };
  return [
    needed("conmon", "No container can be started: it keeps a container's streams and exit code"),
    needed("crun", "No container can be started with the default runtime"),
    useful("runc", "Containers that ask for --runtime runc cannot start"),
    useful("catatonit", "--init cannot be used"),
  ];
}

function fileSystems(): Finding[] {
  const known = read("/proc/filesystems");
  const has = (name: string) => new RegExp(`\\b${name}$`, "m").test(known);
  return [
    has("overlay")
      ? fine("overlayfs", "present")
      : broken("overlayfs", "not in this kernel", "Images cannot be mounted", "Load the module: modprobe overlay"),
  ];
}

function namespaces(): Finding[] {
  const missing = ["mnt", "pid", "net", "ipc", "uts", "user", "cgroup"].filter(
    (name) => !existsSync(`/proc/self/ns/${name}`),
  );
  if (missing.length === 0) return [fine("Namespaces", "all")];
  return [
    broken(
      "Namespaces",
      `${missing.join(", ")} missing`,
      "Containers cannot be kept apart",
      "Boot a kernel that has them",
    ),
  ];
}

function firewall(): Finding {
  const nft = which("nft");
  if (!nft)
    return weak(
      "nftables",
      "the nft command was not found",
      "Rules can still be made by the daemon, but not looked at",
      "apt-get install nftables",
    );
  const { status, stderr } = spawnSync(nft, ["list", "tables"], { encoding: "utf8", timeout: 3000 });
  if (status === 0) return fine("nftables", "works");
  return broken(
    "nftables",
    (stderr ?? "").trim().split("\n")[0] || "does not work",
    "Containers have no way out and no published ports",
    "Load the module nf_tables, or run as root",
  );
}

function forwarding(): Finding {
  if (read("/proc/sys/net/ipv4/ip_forward") === "1") return fine("IPv4 forwarding", "on");
  return weak(
    "IPv4 forwarding",
    "off",
    "Containers on a bridge reach nothing beyond this host until the daemon turns it on",
    "sysctl net.ipv4.ip_forward=1",
  );
}

const seccompPresent = () => /^Seccomp_filters:|^Seccomp:/m.test(read("/proc/self/status"));

function security(what: string, present: boolean, consequence: string): Finding {
  return present
    ? fine(what, "present")
    : weak(what, "not in this kernel", consequence, "Boot a kernel that has it, if you need it");
}

const FEW_FILES = 65536;

function openFiles(): Finding {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(read("/proc/self/limits"))?.[1] ?? "";
  if (hard === "unlimited" || Number(hard) >= FEW_FILES) return fine("Open files", `up to ${hard}`);
  return weak(
    "Open files",
    `at most ${hard}`,
    "Hundreds of containers at once may run out of descriptors",
    `Raise the hard limit to ${FEW_FILES} or more`,
  );
}

const LITTLE_SPACE = 1024 ** 3;

function space(root: string): Finding {
  let folder = root;
  while (!existsSync(folder) && folder !== "/") folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  const found = `${binarySize(free)} free under ${root}`;
  if (free >= LITTLE_SPACE) return fine("Disk", found);
  return weak("Disk", found, "Images may not fit", "Free some space, or choose another --root");
}

function sockets({ run, host }: Places): Finding {
  const path = host ?? `${run}/havre.sock`;
  if (host !== undefined || existsSync(path)) return fine("Daemon", `socket ${path}`);
  return fine("Daemon", `not running; it is started when a command needs it (socket ${path})`);
}
