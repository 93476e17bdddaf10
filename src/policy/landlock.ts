import type { ContainerConfig, HostConfig } from "../spec/mod.ts";
import type { Grant, GrantName } from "./profiles/grants.ts";
import type { Profile } from "./profiles/profiles.ts";
import { parseSecurityOptions } from "./security-options.ts";
import { writablePaths } from "./writable-paths.ts";

/** Rules that a process puts on itself and all it starts (landlock(7)): what is handled and no rule allows is denied. */
export interface LandlockRules {
  /** Rights that are handled, as the kernel's bits. */
  readonly files: number;
  readonly network: number;
  readonly scopes: number;
  /** What is allowed on files and all that lies below folders. A path that is not there allows nothing. */
  readonly paths: readonly { readonly path: string; readonly rights: number }[];
  /** TCP ports that may be listened on. */
  readonly ports: readonly number[];
}

/** Rights by bit (linux/landlock.h). */
const FILES = {
  execute: 1 << 0,
  writeFile: 1 << 1,
  readFile: 1 << 2,
  readFolder: 1 << 3,
  removeFolder: 1 << 4,
  removeFile: 1 << 5,
  makeCharacterDevice: 1 << 6,
  makeFolder: 1 << 7,
  makeFile: 1 << 8,
  makeSocket: 1 << 9,
  makeFifo: 1 << 10,
  makeBlockDevice: 1 << 11,
  makeLink: 1 << 12,
  moveBetweenFolders: 1 << 13,
  truncate: 1 << 14,
  deviceControl: 1 << 15,
};
const LISTEN = 1;
const ABSTRACT_SOCKETS = 1;
const SIGNALS = 2;

/** What files themselves can be allowed; the rest is folders'. */
export const LANDLOCK_FILE_RIGHTS =
  FILES.execute | FILES.writeFile | FILES.readFile | FILES.truncate | FILES.deviceControl;

/** Versions of the kernel's Landlock: before the first, nothing could be moved from folder to folder any more. */
const MOVES = 2;
const TRUNCATES = 3;
const LISTENS = 4;
const CONTROLS = 5;
const SCOPES = 6;

const READ = FILES.execute | FILES.readFile | FILES.readFolder;
const CHANGE =
  FILES.writeFile |
  FILES.truncate |
  FILES.removeFolder |
  FILES.removeFile |
  FILES.makeFolder |
  FILES.makeFile |
  FILES.makeSocket |
  FILES.makeFifo |
  FILES.makeLink |
  FILES.moveBetweenFolders;
const MAKE_DEVICES = FILES.makeCharacterDevice | FILES.makeBlockDevice;
/** Devices and terminals are used, a socket (syslog's) may be put beside them; no file can hide there. */
const DEVICES = FILES.writeFile | FILES.truncate | FILES.deviceControl | FILES.makeSocket | FILES.removeFile;
const STREAMS = FILES.readFile | FILES.writeFile | FILES.truncate | FILES.deviceControl;

/** More ports than these, and the container may as well listen on all. */
const PORTS_LIMIT = 2048;
/** Ports 1 to this one are net-bind's. */
const PRIVILEGED_PORTS = 1023;

export interface LandlockGround {
  readonly profile: Profile;
  readonly grants: readonly Grant[];
  readonly hostConfig: HostConfig;
  readonly config: ContainerConfig;
  readonly mounts: readonly { readonly destination: string; readonly writable: boolean }[];
  /** The kernel's version of Landlock; 0: none. */
  readonly version: number;
  /** Whether AppArmor confines containers here. */
  readonly otherModule: boolean;
  /** Whether the runtime is one that runs the container's processes on this kernel. */
  readonly runtime: boolean;
}

export interface LandlockDecision {
  readonly rules?: LandlockRules;
  /** What holds, a line each; or why nothing does. */
  readonly explain: readonly string[];
}

/**
 * The Landlock rules of a container: under `hardened`, where no other security module confines it. What the mounts say
 * already is said a second time, by a layer that no remounting lifts, and what mounts cannot say is added.
 */
export function decideLandlock(ground: LandlockGround): LandlockDecision {
  const { profile, grants, hostConfig, version } = ground;
  const has = (name: GrantName): boolean => grants.some((grant) => grant.name === name);
  if (profile !== "hardened") return { explain: [`None: they belong to the hardened profile, this is ${profile}`] };
  if (ground.otherModule) return { explain: ["None: AppArmor confines containers here"] };
  if (version < MOVES)
    return { explain: [`None: this kernel has ${version === 0 ? "no Landlock" : "its first version only"}`] };
  if (!ground.runtime) return { explain: ["None: this runtime does not run its processes on this kernel"] };
  if (has("privileged")) return { explain: ["None: it is granted privileged"] };
  if (!parseSecurityOptions(hostConfig.SecurityOpt ?? []).noNewPrivileges)
    return { explain: ["None: they cannot hold together with new-privileges"] };
  const explain: string[] = [];
  const free = has("any-path");
  const paths = free ? [] : pathRules(ground, has);
  if (free) explain.push("Paths as their permissions say: granted any-path");
  else
    explain.push(
      `Writes only below ${namesOf(paths, CHANGE)}`,
      "Nothing is written below /proc and /sys; below /dev only devices, no file is put there",
      "No file system is mounted, moved or remounted, whatever capability there is",
      ...(version < TRUNCATES ? ["This kernel cannot tell truncating from reading: not limited"] : []),
      version < CONTROLS
        ? "This kernel cannot limit ioctl of devices"
        : "ioctl of devices below /dev only, its own and those granted",
    );
  const ports = portsOf(ground);
  const network = version >= LISTENS && ports !== undefined ? LISTEN : 0;
  if (network > 0) explain.push(`Listens by TCP on ${listed(ports ?? [])} and on ports the kernel picks`);
  else if (ports !== undefined) explain.push("This kernel cannot limit TCP ports");
  const scopes = version < SCOPES ? 0 : scopesOf(hostConfig);
  if (scopes & ABSTRACT_SOCKETS) explain.push("Abstract sockets of the host's are not reached");
  if (scopes & SIGNALS) explain.push("Processes outside get no signals from it");
  const files = free ? 0 : handledFiles(version);
  if (files === 0 && network === 0 && scopes === 0) return { explain };
  return {
    explain,
    rules: {
      files,
      network,
      scopes,
      paths: paths.map(({ path, rights }) => ({ path, rights: rights & files })),
      ports: network > 0 ? [0, ...(ports ?? [])] : [],
    },
  };
}

function handledFiles(version: number): number {
  const all = Object.values(FILES).reduce((bits, bit) => bits | bit, 0);
  return all & ~(version < TRUNCATES ? FILES.truncate : 0) & ~(version < CONTROLS ? FILES.deviceControl : 0);
}

function pathRules({ hostConfig, mounts, grants }: LandlockGround, has: (name: GrantName) => boolean) {
  const makes = grants.some(({ name, value }) => name === "cap" && (value === "CAP_MKNOD" || value === "ALL"));
  const change = CHANGE | (makes || (hostConfig.CapAdd ?? []).includes("CAP_MKNOD") ? MAKE_DEVICES : 0);
  return [
    { path: "/", rights: READ },
    { path: "/dev", rights: DEVICES | (has("device") ? MAKE_DEVICES & change : 0) },
    ...writablePaths(hostConfig, mounts).map((path) => ({ path, rights: change })),
    // What it was started with may come from outside its tree: the host's /dev/null.
    ...[0, 1, 2].map((stream) => ({ path: `/proc/self/fd/${stream}`, rights: STREAMS })),
  ];
}

function namesOf(paths: readonly { readonly path: string; readonly rights: number }[], rights: number): string {
  return paths
    .filter((one) => (one.rights & rights) === rights)
    .map(({ path }) => path)
    .join(", ");
}

/** Published and declared ports; undefined: not to be limited, for the network is not its own or they are too many. */
function portsOf({ hostConfig, config, grants }: LandlockGround): readonly number[] | undefined {
  const { NetworkMode, PortBindings } = hostConfig;
  if (NetworkMode === "host" || NetworkMode.startsWith("container:")) return undefined;
  // What net-bind promises is more than what is declared.
  const ports = new Set<number>(
    grants.some(({ name }) => name === "net-bind") ? Array.from({ length: PRIVILEGED_PORTS }, (_, i) => i + 1) : [],
  );
  for (const text of Object.keys({ ...config.ExposedPorts, ...PortBindings })) {
    const [, first, last = first, protocol = "tcp"] = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(text) ?? [];
    if (protocol !== "tcp") continue;
    for (let port = Number(first); port <= Number(last) && ports.size <= PORTS_LIMIT; port++) ports.add(port);
  }
  return ports.size > PORTS_LIMIT ? undefined : [...ports].sort((a, b) => a - b);
}

/** Where its own namespace keeps it in already there is nothing to add, and an exec is no part of the first process's scope. */
function scopesOf({ NetworkMode, PidMode }: HostConfig): number {
  return (NetworkMode === "host" ? ABSTRACT_SOCKETS : 0) | (PidMode === "host" ? SIGNALS : 0);
}

/** Ports as ranges. */
function listed(ports: readonly number[]): string {
  const ranges: { first: number; last: number }[] = [];
  for (const port of ports) {
    const open = ranges.at(-1);
    if (open?.last === port - 1) open.last = port;
    else ranges.push({ first: port, last: port });
  }
  return ranges.map(({ first, last }) => (first === last ? first : `${first}-${last}`)).join(", ") || "no port";
}
