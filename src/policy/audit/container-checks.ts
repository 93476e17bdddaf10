import type { ContainerConfig, HostConfig } from "../../spec/mod.ts";
import { ENGINE_SOCKET, isSystemFolder } from "../host-folders.ts";
import { parseSecurityOptions } from "../security-options.ts";
import { type Check, type Fault, isRoot } from "./practices.ts";

/** What is asked of a container. */
export interface ContainerFacts {
  readonly name: string;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly mounts: readonly {
    readonly type: "bind" | "volume" | "tmpfs";
    readonly source: string;
    readonly destination: string;
    readonly writable: boolean;
    readonly propagation: string;
  }[];
  /** Its root is nobody outside. */
  readonly ownUsers: boolean;
  /** The name it was made by points to another image now. */
  readonly staleImage: boolean;
}

const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_KEY|CREDENTIALS)$/i;
const LAST_PRIVILEGED_PORT = 1023;

const fault = (found: string, remedy: string): Fault => ({ found, remedy });
const list = (words: readonly string[]): string => words.join(", ");
const runWith = (flags: string): string => `havre run ${flags} … IMAGE`;
const sharesHost = (mode: string): boolean => mode === "host";

function publishedOf({ PortBindings }: HostConfig) {
  return Object.entries(PortBindings).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => ({ port, address: HostIp ?? "", hostPort: Number(HostPort) })),
  );
}

/** Everything that is asked of a container, practice by practice. */
export const containerChecks: readonly Check<ContainerFacts>[] = [
  {
    practice: "read-only-root",
    name: "writable-root",
    weight: "medium",
    cis: ["5.13"],
    why: "Who breaks in can change the programs and leave their own",
    kept: "Its root is read-only",
    look: ({ hostConfig }) =>
      hostConfig.ReadonlyRootfs ? undefined : fault("Its root can be written", runWith("--read-only --tmpfs /tmp")),
  },
  {
    practice: "volumes",
    name: "host-folders",
    weight: "high",
    cis: ["5.6"],
    why: "What is written there changes the host itself",
    kept: "No folder of the system is mounted",
    look({ mounts }) {
      const found = mounts.filter(({ type, source }) => type === "bind" && isSystemFolder(source));
      if (found.length === 0) return undefined;
      const what = found.map(({ source, writable }) => `${source} (${writable ? "writable" : "read-only"})`);
      return fault(
        `Folders of the system are mounted: ${list(what)}`,
        runWith("-v VOLUME:/path, not a folder of the system,"),
      );
    },
  },
  {
    practice: "volumes",
    name: "engine-socket",
    weight: "high",
    cis: ["5.32"],
    why: "Who can speak to the engine is root on this host",
    kept: "No engine's socket is inside",
    look({ mounts }) {
      const found = mounts.filter(({ source }) => ENGINE_SOCKET.test(source));
      if (found.length === 0) return undefined;
      return fault(
        `An engine's socket is inside: ${list(found.map(({ source }) => source))}`,
        runWith("without that mount"),
      );
    },
  },
  {
    practice: "volumes",
    name: "shared-propagation",
    weight: "medium",
    cis: ["5.20"],
    why: "What it mounts appears on the host",
    kept: "No mount is shared back",
    look({ mounts }) {
      const found = mounts.filter(({ propagation }) => propagation === "shared" || propagation === "rshared");
      if (found.length === 0) return undefined;
      return fault(
        `Mounts are shared with the host: ${list(found.map(({ destination }) => destination))}`,
        runWith("-v SOURCE:/path:rprivate"),
      );
    },
  },
  {
    practice: "volumes",
    name: "secrets-in-environment",
    weight: "low",
    cis: ["4.10"],
    why: "The environment is in inspect, in child processes and in crash reports",
    kept: "No secret is seen in its environment",
    look({ config }) {
      const names = (config.Env ?? []).flatMap((line) => {
        const [name = "", value = ""] = [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)];
        return SECRET_NAME.test(name) && value !== "" ? [name] : [];
      });
      if (names.length === 0) return undefined;
      return fault(
        `Secrets stand in its environment: ${list(names)}`,
        "Give them as secrets of a Compose file, or as mounted files (NAME_FILE=/run/secrets/name)",
      );
    },
  },
  {
    practice: "network",
    name: "host-network",
    weight: "high",
    cis: ["5.10"],
    why: "It sees and can take every port of this host, its loopback services too",
    kept: "It has a network of its own",
    look: ({ hostConfig }) =>
      sharesHost(hostConfig.NetworkMode)
        ? fault("It uses the host's network", runWith("--network NETWORK -p PORT"))
        : undefined,
  },
  {
    practice: "network",
    name: "default-bridge",
    weight: "low",
    cis: ["5.30"],
    why: "All containers that ask for nothing meet there",
    kept: "It is not on the bridge that everybody is on",
    look: ({ hostConfig }) =>
      ["default", "bridge", ""].includes(hostConfig.NetworkMode)
        ? fault("It is on the default bridge", "havre network create NETWORK, then havre run --network NETWORK …")
        : undefined,
  },
  {
    practice: "ports",
    name: "every-address",
    weight: "low",
    cis: ["5.14"],
    why: "It answers on every interface of this host",
    kept: "Its ports are bound to named addresses",
    look({ hostConfig }) {
      const open = publishedOf(hostConfig).filter(
        ({ address }) => address === "" || address === "0.0.0.0" || address === "::",
      );
      if (open.length === 0) return undefined;
      return fault(
        `Published on every address: ${list(open.map(({ port }) => port))}`,
        runWith("-p 127.0.0.1:PORT:PORT"),
      );
    },
  },
  {
    practice: "ports",
    name: "privileged-ports",
    weight: "low",
    cis: ["5.8"],
    why: "Ports below 1024 are where clients expect the host's own services",
    kept: "No port below 1024 is taken",
    look({ hostConfig }) {
      const low = publishedOf(hostConfig).filter(({ hostPort }) => hostPort > 0 && hostPort <= LAST_PRIVILEGED_PORT);
      if (low.length === 0) return undefined;
      return fault(`Takes ${list(low.map(({ hostPort }) => `port ${hostPort}`))}`, runWith("-p 8080:PORT"));
    },
  },
  {
    practice: "ports",
    name: "all-ports",
    weight: "low",
    cis: ["5.9"],
    why: "Whatever the image declares is open, needed or not",
    kept: "Only ports that are named are published",
    look: ({ hostConfig }) =>
      hostConfig.PublishAllPorts ? fault("Every port of the image is published", runWith("-p PORT:PORT")) : undefined,
  },
  {
    practice: "user",
    name: "privileged",
    weight: "high",
    cis: ["5.5"],
    why: "A privileged container is root on this host",
    kept: "It is not privileged",
    look: ({ hostConfig }) =>
      hostConfig.Privileged
        ? fault("It is privileged", runWith("--cap-add NAME and --device PATH, what it needs,"))
        : undefined,
  },
  {
    practice: "user",
    name: "root",
    weight: "medium",
    cis: ["4.1", "5.31"],
    why: "Root inside is root outside once it gets out",
    kept: "Its user is not the host's root",
    look: ({ config, ownUsers }) =>
      isRoot(config.User) && !ownUsers
        ? fault("It runs as the host's root", runWith("--userns auto (or --user UID)"))
        : undefined,
  },
  {
    practice: "user",
    name: "new-privileges",
    weight: "medium",
    cis: ["5.26"],
    why: "A setuid program inside gives more than the user has",
    kept: "No program inside gives privileges",
    look: ({ hostConfig }) =>
      parseSecurityOptions(hostConfig.SecurityOpt ?? []).noNewPrivileges
        ? undefined
        : fault("Programs inside may gain privileges", runWith("--security-opt no-new-privileges")),
  },
  {
    practice: "user",
    name: "added-capabilities",
    weight: "medium",
    cis: ["5.4"],
    why: "Each is a part of root's power over the kernel",
    kept: "It was given no capability",
    look({ hostConfig }) {
      const added = hostConfig.CapAdd ?? [];
      if (added.length === 0) return undefined;
      return fault(`It was given ${list(added)}`, runWith(`--cap-drop ALL --cap-add NAME, only what it uses,`));
    },
  },
  {
    practice: "minimal",
    name: "seccomp",
    weight: "high",
    cis: ["5.22"],
    why: "Every system call of the kernel is open to it",
    kept: "System calls are filtered",
    look: ({ hostConfig }) =>
      hostConfig.Privileged || parseSecurityOptions(hostConfig.SecurityOpt ?? []).seccomp === "unconfined"
        ? fault("System calls are not filtered", runWith("without --privileged and seccomp=unconfined"))
        : undefined,
  },
  {
    practice: "minimal",
    name: "host-namespaces",
    weight: "high",
    cis: ["5.16", "5.17", "5.21"],
    why: "It sees the host's processes, shared memory or name as its own",
    kept: "It shares no process list, memory or name with the host",
    look({ hostConfig: { PidMode, IpcMode, UTSMode } }) {
      const shared = Object.entries({ pid: PidMode, ipc: IpcMode, uts: UTSMode }).flatMap(([name, mode]) =>
        sharesHost(mode) ? [name] : [],
      );
      if (shared.length === 0) return undefined;
      return fault(
        `It shares the host's ${list(shared)}`,
        runWith(`without ${shared.map((name) => `--${name} host`).join(", ")}`),
      );
    },
  },
  {
    practice: "minimal",
    name: "devices",
    weight: "medium",
    cis: ["5.18"],
    why: "A device is a way to the host's data and drivers",
    kept: "It has no device of the host",
    look({ hostConfig }) {
      const devices = (hostConfig.Devices ?? []).map(({ PathOnHost }) => PathOnHost);
      return devices.length === 0
        ? undefined
        : fault(`Devices of the host: ${list(devices)}`, runWith("without --device"));
    },
  },
  {
    practice: "minimal",
    name: "health",
    weight: "low",
    cis: ["5.27"],
    why: "Nobody notices when it only seems to work",
    kept: "Its health is checked",
    look: ({ config }) =>
      config.Healthcheck?.Test?.length && config.Healthcheck.Test[0] !== "NONE"
        ? undefined
        : fault("Its health is not checked", runWith("--health-cmd COMMAND")),
  },
  {
    practice: "origin",
    name: "stale-image",
    weight: "low",
    cis: ["5.28"],
    why: "What was mended in the newer image is not mended here",
    kept: "It is of the image that its name means now",
    look: ({ config, staleImage }) =>
      staleImage
        ? fault(`${config.Image} is another image now`, "havre up, or havre rm and havre run again")
        : undefined,
  },
  {
    practice: "limits",
    name: "memory",
    weight: "medium",
    cis: ["5.11"],
    why: "It can take all memory, and others are killed for it",
    kept: "Its memory is limited",
    look: ({ name, hostConfig }) =>
      hostConfig.Memory > 0
        ? undefined
        : fault("Its memory is not limited", `havre update --memory 512m --memory-swap 1g ${name}`),
  },
  {
    practice: "limits",
    name: "cpu",
    weight: "low",
    cis: ["5.12"],
    why: "It can take every core",
    kept: "Its CPU time is limited",
    look: ({ name, hostConfig: { NanoCpus, CpuQuota, CpuShares, CpusetCpus } }) =>
      NanoCpus > 0 || CpuQuota > 0 || CpuShares > 0 || CpusetCpus !== ""
        ? undefined
        : fault("Its CPU time is not limited", `havre update --cpus 1 ${name}`),
  },
  {
    practice: "limits",
    name: "processes",
    weight: "medium",
    cis: ["5.29"],
    why: "A fork bomb inside stops the whole host",
    kept: "Its processes are limited",
    look: ({ name, hostConfig: { PidsLimit } }) =>
      PidsLimit !== null && PidsLimit !== undefined && PidsLimit > 0
        ? undefined
        : fault("Its processes are not limited", `havre update --pids-limit 512 ${name}`),
  },
  {
    practice: "limits",
    name: "restarts",
    weight: "low",
    cis: ["5.15"],
    why: "A container that dies at once is started for ever",
    kept: "It is not restarted without end",
    look: ({ name, hostConfig: { RestartPolicy } }) =>
      RestartPolicy.Name === "on-failure" && RestartPolicy.MaximumRetryCount === 0
        ? fault("It is restarted after failures without end", `havre update --restart on-failure:5 ${name}`)
        : undefined,
  },
];
