import { HavreError } from "../../base/mod.ts";
import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import { ENGINE_SOCKET, isSystemFolder, withoutSlash } from "../host-folders.ts";
import { parseSecurityOptions } from "../security-options.ts";
import { formatGrant, type Grant, type GrantName, wordOf } from "./grants.ts";
import { HARDENED_MEMORY, HARDENED_PROCESSES, type Profile } from "./profiles.ts";

/** What a container asks for, before anything is decided. */
export interface Asked {
  readonly hostConfig: HostConfig;
  readonly config: ContainerConfig;
  readonly image: ImageNeeds;
}

/** What an image says of itself. */
export interface ImageNeeds {
  /** Folders that it declares as volumes. */
  readonly volumes: readonly string[];
  /** Folders that it writes to while it runs, and that need not last: its label `havre.tmpfs`. */
  readonly tmpfs: readonly string[];
}

/** The label by which an image names the folders it writes to, with spaces between them. */
export const TMPFS_LABEL = "havre.tmpfs";
/** What one image may ask for. */
const IMAGE_TMPFS_LIMIT = 16;

/** The folders of that label; what is no folder of its own is left out: an image can be anybody's. */
export function imageTmpfs(label = ""): readonly string[] {
  const folders = label.split(/[\s,]+/).filter((path) => /^(\/[\w.-]+){2,}$/.test(path) && !path.includes("/.."));
  return [...new Set(folders)].filter((path) => !isSystemFolder(path)).slice(0, IMAGE_TMPFS_LIMIT);
}

/** What it gets, and what its profile did to that. */
export interface Applied {
  readonly hostConfig: HostConfig;
  readonly config: ContainerConfig;
  readonly warnings: readonly string[];
}

const PORT_START = "net.ipv4.ip_unprivileged_port_start";
const FIRST_UNPRIVILEGED_PORT = 1024;
const SCRATCH = ["/tmp", "/run"];
const SCRATCH_OPTIONS = "rw,nosuid,nodev,exec,mode=1777,size=64m";

/**
 * A request under a profile: what nobody asked for is taken away. `permission-denied` for a flag that opens the host and
 * has no grant: what it opens, what that is worth to an attacker, and the words that grant it.
 */
export function applyProfile(
  profile: Profile,
  grants: readonly Grant[],
  asked: Asked,
  { cpus }: { readonly cpus: number },
): Applied {
  if (profile === "docker") return { ...asked, warnings: [] };
  if (profile === "open") return opened(asked);
  const has = (name: GrantName, value = ""): boolean =>
    grants.some((grant) => grant.name === name && (value === "" || grant.value === value));
  for (const { flag, grant } of openingFlags(asked.hostConfig))
    if (!covers(grants, grant)) throw ungranted(flag, grant);
  const { hostConfig, config } = asked;
  const wide = has("privileged");
  const shares = wide || has("host-users") || hostConfig.NetworkMode === "host" || hostConfig.PidMode === "host";
  const capabilities = grants.filter(({ name }) => name === "cap").map(({ value }) => value);
  const writable = grants.filter(({ name }) => name === "write").map(({ value }) => value);
  return {
    warnings: [],
    config: {
      ...config,
      Volumes: withVolumes(
        config.Volumes,
        writable.filter((path) => path !== "/"),
      ),
    },
    hostConfig: {
      ...hostConfig,
      ReadonlyRootfs: hostConfig.ReadonlyRootfs || !writable.includes("/"),
      Tmpfs: { ...scratch(asked, writable), ...hostConfig.Tmpfs },
      ...(wide ? {} : { CapDrop: ["ALL"], CapAdd: unique([...(hostConfig.CapAdd ?? []), ...capabilities]) }),
      SecurityOpt: secured(hostConfig.SecurityOpt ?? [], has("new-privileges") || wide),
      UsernsMode: hostConfig.UsernsMode || (shares ? "host" : "auto"),
      ...(ownNetwork(hostConfig) && !has("net-bind")
        ? {
            Sysctls: {
              [PORT_START]: String(lowestPublished(hostConfig) ?? FIRST_UNPRIVILEGED_PORT),
              ...hostConfig.Sysctls,
            },
          }
        : {}),
      ...(has("any-resources") ? {} : limited(hostConfig, cpus)),
    },
  };
}

/** A flag that opens the host, and the grant it amounts to. */
export interface OpeningFlag {
  readonly flag: string;
  readonly grant: Grant;
}

/** The lowest port below 1024 that is published: who publishes it asks that something listens there. */
export function lowestPublished({ PortBindings }: HostConfig): number | undefined {
  const ports = Object.keys(PortBindings ?? {}).map((port) => Number.parseInt(port, 10));
  const low = ports.filter((port) => port < FIRST_UNPRIVILEGED_PORT);
  return low.length === 0 ? undefined : Math.min(...low);
}

/** What a request's flags open of the host. */
export function openingFlags(hostConfig: HostConfig): readonly OpeningFlag[] {
  const { Privileged, NetworkMode, PidMode, IpcMode, UTSMode, UsernsMode, SecurityOpt } = hostConfig;
  const { seccomp } = parseSecurityOptions(SecurityOpt ?? []);
  const flags: (readonly [asked: boolean, flag: string, name: GrantName, value?: string])[] = [
    [Privileged, "--privileged", "privileged"],
    [NetworkMode === "host", "--network host", "host-net"],
    [PidMode === "host", "--pid host", "host-pid"],
    [IpcMode === "host", "--ipc host", "host-ipc"],
    [UTSMode === "host", "--uts host", "host-uts"],
    // Who has the host's network or processes has no users of its own.
    [UsernsMode === "host" && NetworkMode !== "host" && PidMode !== "host", "--userns host", "host-users"],
    [seccomp === "unconfined", "--security-opt seccomp=unconfined", "all-syscalls"],
    [(hostConfig.DeviceCgroupRules ?? []).length > 0, "--device-cgroup-rule", "device", "/dev"],
    ...(hostConfig.Devices ?? []).map(
      ({ PathOnHost }) => [true, `--device ${PathOnHost}`, "device", PathOnHost] as const,
    ),
    ...bindSources(hostConfig).flatMap((source) => [
      [ENGINE_SOCKET.test(source), `The mount of ${source}`, "engine-socket"] as const,
      [isSystemFolder(source), `The mount of ${source}`, "host-path", source] as const,
    ]),
  ];
  return flags.flatMap(([asked, flag, name, value = ""]) => (asked ? [{ flag, grant: { name, value } }] : []));
}

/** True when one of `grants` covers it. */
export function covers(grants: readonly Grant[], wanted: Grant): boolean {
  return grants.some(
    ({ name, value }) =>
      name === "privileged" || (name === wanted.name && (wanted.value === "" || value === wanted.value)),
  );
}

/** All of it in the message: Docker's clients show nothing else. */
function ungranted(flag: string, grant: Grant): HavreError {
  const { opens, gains } = wordOf(grant.name);
  const text = formatGrant(grant);
  return new HavreError(
    "permission-denied",
    `${flag} is denied by the hardened profile. It opens: ${lowered(opens)}. Who breaks in gains: ${lowered(gains)}. To allow it: --grant ${text}, x-havre: { grants: [${text}] } in the Compose file, or the label havre.grants=${text}`,
  );
}

const lowered = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** Host folders and sockets that are mounted, as the request names them. */
function bindSources({ Binds, Mounts }: HostConfig): readonly string[] {
  const short = (Binds ?? []).map((bind) => bind.split(":")[0] ?? "").filter((source) => source.startsWith("/"));
  const long = (Mounts ?? []).flatMap(({ Type, Source }) => (Type === "bind" && Source !== undefined ? [Source] : []));
  return [...short, ...long].map(withoutSlash);
}

/** Where it may write without a trace: unless something else is mounted or granted there. */
function scratch({ hostConfig, config, image }: Asked, writable: readonly string[]): Record<string, string> {
  const taken = new Set([
    ...image.volumes,
    ...Object.keys(config.Volumes ?? {}),
    ...(hostConfig.Binds ?? []).map((bind) => bind.split(":")[1] ?? ""),
    ...(hostConfig.Mounts ?? []).map(({ Target }) => Target),
    ...writable,
  ]);
  if (hostConfig.ReadonlyRootfs === false && writable.includes("/")) return {};
  const wanted = [...SCRATCH, ...image.tmpfs].filter((path) => !taken.has(path));
  return Object.fromEntries(wanted.map((path) => [path, SCRATCH_OPTIONS]));
}

function withVolumes(volumes: ContainerConfig["Volumes"], paths: readonly string[]): ContainerConfig["Volumes"] {
  return paths.length === 0 ? volumes : { ...volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
}

function secured(options: readonly string[], privileges: boolean): readonly string[] {
  if (privileges || parseSecurityOptions(options).noNewPrivileges) return options;
  return [...options.filter((option) => !option.startsWith("no-new-privileges")), "no-new-privileges"];
}

function limited({ Memory, NanoCpus, CpuQuota, PidsLimit }: HostConfig, cpus: number) {
  return {
    Memory: Memory || HARDENED_MEMORY,
    NanoCpus: NanoCpus || (CpuQuota > 0 ? 0 : Math.max(1, Math.floor(cpus / 2)) * 1e9),
    PidsLimit: PidsLimit || HARDENED_PROCESSES,
  };
}

function ownNetwork({ NetworkMode }: HostConfig): boolean {
  return NetworkMode !== "host" && !NetworkMode.startsWith("container:");
}

const unique = (words: readonly string[]): readonly string[] => [...new Set(words)];

/** Nothing is kept from it but other namespaces, and that is said. */
function opened({ hostConfig, config }: Asked): Applied {
  return {
    config,
    hostConfig: {
      ...hostConfig,
      CapAdd: ["ALL"],
      SecurityOpt: unique([...(hostConfig.SecurityOpt ?? []), "seccomp=unconfined", "apparmor=unconfined"]),
      MaskedPaths: [],
      ReadonlyPaths: [],
    },
    warnings: [
      "This container runs under the open profile: every capability, every system call, no hidden kernel files. It is for debugging; do not leave it running",
    ],
  };
}
