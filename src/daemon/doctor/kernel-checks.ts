import { HOST_USER, MAKE_HOST_USER } from "../../identities/mod.ts";
import { type Check, fail, ok, warn } from "./check.ts";
import type { DoctorFacts } from "./facts.ts";

/** What the daemon must be able to do to run containers; a service unit or an outer container may have taken it. */
const NEEDED_CAPABILITIES = [
  "CAP_SYS_ADMIN",
  "CAP_NET_ADMIN",
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_SETUID",
  "CAP_SETGID",
  "CAP_KILL",
  "CAP_SYS_CHROOT",
];

const NEW_KERNEL = "Run a newer kernel";

export function rights({ uid, host }: DoctorFacts): Check {
  if (uid !== 0) {
    return fail("rights", `user ${uid}`, "The daemon cannot mount or make namespaces", "Run it as root");
  }
  const missing = NEEDED_CAPABILITIES.filter((name) => !host.capabilities.includes(name));
  if (missing.length === 0) return ok("rights", "root with all needed capabilities");
  const found = `root without ${missing.join(", ")}`;
  return fail(
    "rights",
    found,
    "Containers cannot be set up",
    "Give the daemon these capabilities, or run it outside a container",
  );
}

/** The new mount and clone calls came by then. */
const OLDEST = { major: 5, minor: 2 };

export function kernel({ kernel: release }: DoctorFacts): Check {
  if (atLeast(release, OLDEST.major, OLDEST.minor)) return ok("kernel", release);
  return fail(
    "kernel",
    release,
    "System calls that Havre needs are missing",
    "Run kernel 5.2 or newer, best 6.12 or newer",
  );
}

export function namespaces({ namespaces: kinds }: DoctorFacts): Check {
  const missing = ["mnt", "pid", "net", "ipc", "uts", "cgroup"].filter((kind) => !kinds.includes(kind));
  if (missing.length === 0) return ok("namespaces", [...kinds].join(", "));
  const found = `${missing.join(", ")} missing`;
  return fail("namespaces", found, "Containers cannot be kept apart", "Run a kernel built with them");
}

/** A kernel part: in the kernel, loadable when needed, or absent. */
function part(facts: DoctorFacts, name: string, present: boolean): "present" | "loadable" | "absent" {
  if (present) return "present";
  return facts.loadableModules.includes(name) ? "loadable" : "absent";
}

export function overlay(facts: DoctorFacts): Check {
  const state = part(facts, "overlay", facts.filesystems.includes("overlay"));
  if (state === "present") return ok("overlay", "in the kernel");
  if (state === "loadable") return ok("overlay", "a module, loaded when needed");
  return fail(
    "overlay",
    "not in this kernel",
    "Containers have no root file system",
    `${NEW_KERNEL} built with CONFIG_OVERLAY_FS`,
  );
}

export function erofs(facts: DoctorFacts): Check {
  const present = facts.filesystems.includes("erofs");
  const consequence = "Layers cannot be mounted as they are: they are unpacked first";
  if (part(facts, "erofs", present) === "absent") {
    return warn("erofs", "not in this kernel", consequence, `${NEW_KERNEL} built with CONFIG_EROFS_FS`);
  }
  if (!atLeast(facts.kernel, 6, 12)) {
    return warn(
      "erofs",
      `there, but kernel ${facts.kernel} cannot mount it from a file`,
      consequence,
      "Run kernel 6.12 or newer",
    );
  }
  return ok("erofs", present ? "in the kernel, mounts from files" : "a module, loaded when needed");
}

export function userNamespaces({ maxUserNamespaces }: DoctorFacts): Check {
  if (maxUserNamespaces > 0) return ok("user namespaces", `up to ${maxUserNamespaces}`);
  return warn(
    "user namespaces",
    "none allowed",
    "Containers cannot have user ids of their own",
    "Set sysctl user.max_user_namespaces to 15000 or more",
  );
}

/** A container gets as many ids as 16 bits name. */
const IDS_OF_CONTAINER = 65_536;

export function userIds({ containerIds }: DoctorFacts): Check {
  const containers = Math.floor(containerIds / IDS_OF_CONTAINER);
  if (containers > 0) return ok("user ids", `for ${containers} containers with ids of their own`);
  return warn(
    "user ids",
    `none are set aside for user ${HOST_USER}`,
    "The first container with ids of its own makes user and ids, where it can",
    MAKE_HOST_USER,
  );
}

export function idMappedMounts({ mountSetattr, kernel }: DoctorFacts): Check {
  if (mountSetattr) return ok("id-mapped mounts", "mount_setattr is there");
  const found = `kernel ${kernel} has no mount_setattr`;
  return warn("id-mapped mounts", found, "Folders cannot be shown with other owners", "Run kernel 5.12 or newer");
}

export function seccomp({ host }: DoctorFacts): Check {
  if (host.seccomp) return ok("seccomp", "in the kernel");
  const remedy = `${NEW_KERNEL} built with CONFIG_SECCOMP_FILTER`;
  return warn("seccomp", "not in this kernel", "Containers can make every system call", remedy);
}

export function landlock({ landlock: version }: DoctorFacts): Check {
  if (version >= 6) return ok("landlock", `version ${version}`);
  if (version > 1)
    return warn(
      "landlock",
      `version ${version}`,
      "Hardened containers have rules on paths, but not on all of TCP ports (4), devices' ioctl (5) and the host's abstract sockets (6)",
      "Kernel 6.12 or newer has them all",
    );
  const remedy = "Boot with landlock in the lsm= list, on kernel 5.13 or newer";
  return warn("landlock", "not there or off", "Hardened containers have no Landlock rules", remedy);
}

export function securityModule({ host, apparmorModule }: DoctorFacts): Check {
  const found = [host.apparmor && "AppArmor", host.selinux && "SELinux"].filter(Boolean);
  if (apparmorModule && !host.apparmor)
    return warn(
      "security module",
      "AppArmor, but without apparmor_parser or securityfs",
      "Containers run without an AppArmor profile",
      "Install the package apparmor, and mount securityfs on /sys/kernel/security",
    );
  if (found.length > 0) return ok("security module", found.join(", "));
  const consequence = "Profiles asked for with --security-opt are refused or ignored with a warning";
  return warn(
    "security module",
    "neither AppArmor nor SELinux",
    consequence,
    "Boot with one of them for defence in depth",
  );
}

export function cgroups({ host, controllers, hybrid }: DoctorFacts): Check {
  const layout = host.cgroupVersion === 2 ? "version 2" : hybrid ? "version 1, hybrid" : "version 1";
  const found = `${layout}: ${[...controllers].sort().join(" ")}`;
  const io = host.cgroupVersion === 2 ? "io" : "blkio";
  const missing = ["cpu", "cpuset", "memory", "pids", io].filter((name) => !controllers.includes(name));
  if (missing.length === 0) return ok("cgroups", found);
  const remedy = missing.includes("memory")
    ? "Boot with cgroup_enable=memory, or mount the missing controllers"
    : "Mount the missing controllers, or boot with systemd.unified_cgroup_hierarchy=1";
  return warn("cgroups", found, `No limits and no counters of ${missing.join(", ")}`, remedy);
}

/** Whether a release like `6.1.0-18-amd64` is at least major.minor. */
export function atLeast(kernel: string, major: number, minor: number): boolean {
  const [own = 0, sub = 0] = kernel.split(/[.-]/).map(Number);
  return own > major || (own === major && sub >= minor);
}
