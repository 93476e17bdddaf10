import { HavreError } from "../../../../base/mod.ts";
import type { EndpointRequest, Healthcheck, HostConfig, RestartPolicy } from "../../../../spec/mod.ts";
import type { Values } from "../../../args/flags.ts";
import { refuse } from "./checks.ts";
import { cut } from "./csv.ts";
import { readAssignments, securityOptions } from "./files.ts";
import type { containerFlags } from "./flags.ts";
import { endpointsOf, isMac } from "./network.ts";
import { parsePorts } from "./ports.ts";
import { isCdiDevice, parseDevice } from "./resources.ts";
import { parseVolumes } from "./volumes.ts";

export type ContainerFlagValues = Values<typeof containerFlags>;

/** The labels by which the API asks for what Docker's has no field for. */
export const RESTART_UNHEALTHY_LABEL = "havre.restart-unhealthy";
export const PROFILE_LABEL = "havre.profile";
/** The user's own setting of the profile, by the environment. */
const PROFILE_VARIABLE = "HAVRE_PROFILE";
const USUAL_PROFILE = "hardened";
const GRANTS_LABEL = "havre.grants";
const OBSERVE_LABEL = "havre.observe";

/** Body of `POST /containers/create`. */
export interface CreateBody {
  Hostname: string;
  Domainname: string;
  User: string;
  AttachStdin: boolean;
  AttachStdout: boolean;
  AttachStderr: boolean;
  ExposedPorts: Record<string, Record<string, never>>;
  Tty: boolean;
  OpenStdin: boolean;
  StdinOnce: boolean;
  Env: readonly string[];
  Cmd: readonly string[] | null;
  Image: string;
  Volumes: Readonly<Record<string, Record<string, never>>>;
  WorkingDir: string;
  Entrypoint: readonly string[] | null;
  Labels: Readonly<Record<string, string>>;
  MacAddress?: string;
  StopSignal?: string;
  StopTimeout?: number;
  Healthcheck?: Healthcheck;
  HostConfig: Partial<Omit<HostConfig, "ConsoleSize">> & { ConsoleSize: readonly [number, number] };
  NetworkingConfig: { EndpointsConfig: Readonly<Record<string, EndpointRequest>> };
}

/** Flags and arguments as a create request; errors with Docker's words (docker/cli, opts.go `parse`). */
export function createRequest(
  flags: ContainerFlagValues,
  changed: ReadonlySet<string>,
  [image = "", ...command]: readonly string[],
): CreateBody {
  if (flags["mac-address"] && !isMac(flags["mac-address"]))
    refuse(`${flags["mac-address"]} is not a valid mac address`);
  if (flags.gpus !== "")
    throw new HavreError("not-implemented", 'could not select device driver "" with capabilities: [[gpu]]', {
      hint: "GPUs are not supported: give single devices with --device",
    });
  const attachAll = flags.attach.length === 0;
  const AttachStdin = flags.interactive || flags.attach.includes("stdin");
  const volumes = parseVolumes(flags.volume);
  const ports = parsePorts(flags.publish, flags.expose);
  const health = healthOf(flags);
  const HostConfig = hostConfigOf(flags, changed, volumes.binds, ports.bindings);
  const EndpointsConfig = endpointsOf(flags.network, flags);
  const mac = EndpointsConfig[HostConfig.NetworkMode ?? ""]?.MacAddress;
  return {
    Hostname: flags.hostname,
    Domainname: flags.domainname,
    User: flags.user,
    AttachStdin,
    AttachStdout: attachAll || flags.attach.includes("stdout"),
    AttachStderr: attachAll || flags.attach.includes("stderr"),
    ExposedPorts: ports.exposed,
    Tty: flags.tty,
    OpenStdin: flags.interactive,
    // A client that leaves takes its input with it.
    StdinOnce: flags.interactive && AttachStdin,
    Env: [...flags["env-file"].flatMap((path) => readAssignments(path, (name) => process.env[name])), ...flags.env],
    Cmd: command.length > 0 ? command : null,
    Image: image,
    Volumes: volumes.anonymous,
    WorkingDir: flags.workdir,
    // `--entrypoint ""` takes the image's away.
    Entrypoint: changed.has("entrypoint") ? [flags.entrypoint] : null,
    Labels: labelsOf(flags),
    ...(mac ? { MacAddress: mac } : {}),
    ...(flags["stop-signal"] ? { StopSignal: flags["stop-signal"] } : {}),
    ...(changed.has("stop-timeout") ? { StopTimeout: flags["stop-timeout"] } : {}),
    ...(health ? { Healthcheck: health } : {}),
    HostConfig,
    NetworkingConfig: { EndpointsConfig },
  };
}

function labelsOf(flags: ContainerFlagValues): Readonly<Record<string, string>> {
  const assignments = [...flags["label-file"].flatMap((path) => readAssignments(path)), ...flags.label];
  const words = [...flags.grant, ...flags.egress.map((where) => `egress:${where}`)];
  return {
    [PROFILE_LABEL]: process.env[PROFILE_VARIABLE] || USUAL_PROFILE,
    ...toMap(assignments),
    ...(flags["restart-unhealthy"] ? { [RESTART_UNHEALTHY_LABEL]: "true" } : {}),
    ...(flags.observe ? { [OBSERVE_LABEL]: "true" } : {}),
    ...(flags.profile ? { [PROFILE_LABEL]: flags.profile } : {}),
    ...(words.length > 0 ? { [GRANTS_LABEL]: words.join(" ") } : {}),
  };
}

function toMap(assignments: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const [name, value = ""] = cut(assignment, "=");
      return [name, value];
    }),
  );
}

function healthOf(flags: ContainerFlagValues): Healthcheck | undefined {
  const durations = ["health-interval", "health-timeout", "health-start-period", "health-start-interval"] as const;
  const asked =
    flags["health-cmd"] !== "" || flags["health-retries"] !== 0 || durations.some((name) => flags[name] !== 0);
  if (flags["no-healthcheck"]) {
    if (asked) refuse("--no-healthcheck conflicts with --health-* options");
    return { Test: ["NONE"] };
  }
  if (!asked) return undefined;
  for (const name of [...durations, "health-retries"] as const)
    if (flags[name] < 0) refuse(`--${name} cannot be negative`);
  return {
    ...(flags["health-cmd"] ? { Test: ["CMD-SHELL", flags["health-cmd"]] } : {}),
    Interval: flags["health-interval"],
    Timeout: flags["health-timeout"],
    StartPeriod: flags["health-start-period"],
    StartInterval: flags["health-start-interval"],
    Retries: flags["health-retries"],
  };
}

/** `no`, `always`, `unless-stopped`, `on-failure[:N]`. */
export function parseRestartPolicy(text: string): RestartPolicy {
  if (text === "") return { Name: "", MaximumRetryCount: 0 };
  const [name, count] = cut(text, ":");
  if (count !== undefined && name === "") refuse("invalid restart policy format: no policy provided before colon");
  if (count && !/^[+-]?\d+$/.test(count))
    refuse("invalid restart policy format: maximum retry count must be an integer");
  return { Name: name as RestartPolicy["Name"], MaximumRetryCount: Number(count || 0) };
}

function checkModes(flags: ContainerFlagValues): void {
  const isContainer = (mode: string) => /^container:.+$/.test(mode);
  if (!["", "host"].includes(flags.pid) && !isContainer(flags.pid)) refuse("--pid: invalid PID mode");
  if (!["", "host"].includes(flags.uts)) refuse("--uts: invalid UTS mode");
  if (!/^(|host|auto|private|auto:size=\d+|\d+(:\d+)?)$/.test(flags.userns)) refuse("--userns: invalid USER mode");
  if (!["", "host", "private"].includes(flags.cgroupns)) refuse("--cgroupns: invalid CGROUP mode");
}

function hostConfigOf(
  flags: ContainerFlagValues,
  changed: ReadonlySet<string>,
  binds: readonly string[],
  bindings: HostConfig["PortBindings"],
): CreateBody["HostConfig"] {
  const swappiness = flags["memory-swappiness"];
  if (swappiness !== -1 && (swappiness < 0 || swappiness > 100))
    refuse(`invalid value: ${swappiness}. Valid memory swappiness range is 0-100`);
  checkModes(flags);
  const RestartPolicy = parseRestartPolicy(flags.restart);
  if (flags.rm && !["", "no"].includes(RestartPolicy.Name)) refuse("Conflicting options: --restart and --rm");
  if (flags["log-driver"] === "none" && flags["log-opt"].length > 0) refuse("invalid logging opts for driver none");
  if (flags["storage-opt"].some((option) => !option.includes("="))) refuse("invalid storage option");
  const security = securityOptions(flags["security-opt"]);
  const unconfined = security.includes("systempaths=unconfined");
  const cdi = flags.device.filter(isCdiDevice);
  return {
    Binds: binds,
    ContainerIDFile: flags.cidfile,
    LogConfig: { Type: flags["log-driver"], Config: toMap(flags["log-opt"]) },
    NetworkMode: flags.network[0]?.target ?? "default",
    PortBindings: bindings,
    RestartPolicy,
    AutoRemove: flags.rm,
    VolumeDriver: flags["volume-driver"],
    VolumesFrom: flags["volumes-from"],
    ConsoleSize: [0, 0],
    ...(flags.annotation.length > 0 ? { Annotations: toMap(flags.annotation) } : {}),
    CapAdd: flags["cap-add"],
    CapDrop: flags["cap-drop"],
    CgroupnsMode: flags.cgroupns,
    Dns: flags.dns,
    DnsOptions: flags["dns-option"],
    DnsSearch: flags["dns-search"],
    ExtraHosts: flags["add-host"],
    GroupAdd: flags["group-add"],
    IpcMode: flags.ipc,
    Links: flags.link,
    OomScoreAdj: flags["oom-score-adj"],
    PidMode: flags.pid,
    Privileged: flags.privileged,
    PublishAllPorts: flags["publish-all"],
    ReadonlyRootfs: flags["read-only"],
    SecurityOpt: security.filter((option) => option !== "systempaths=unconfined"),
    StorageOpt: toMap(flags["storage-opt"]),
    Tmpfs: tmpfsOf(flags.tmpfs),
    UTSMode: flags.uts,
    UsernsMode: flags.userns,
    ShmSize: flags["shm-size"],
    Sysctls: toMap(flags.sysctl),
    Runtime: flags.runtime,
    Isolation: flags.isolation,
    ...(flags.mount.length > 0 ? { Mounts: flags.mount } : {}),
    ...(unconfined ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
    ...(changed.has("init") ? { Init: flags.init } : {}),
    ...limitsOf(flags),
    Devices: flags.device.filter((device) => !isCdiDevice(device)).map(parseDevice),
    DeviceCgroupRules: flags["device-cgroup-rule"],
    DeviceRequests:
      cdi.length > 0 ? [{ Driver: "cdi", Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null }] : null,
  };
}

function tmpfsOf(values: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    values.map((text) => {
      const [path, options = ""] = cut(text, ":");
      return [path, options];
    }),
  );
}

function limitsOf(flags: ContainerFlagValues): Partial<HostConfig> {
  const ulimits = new Map(flags.ulimit.map((limit) => [limit.Name, limit]));
  return {
    CpuShares: flags["cpu-shares"],
    Memory: flags.memory,
    NanoCpus: flags.cpus,
    CgroupParent: flags["cgroup-parent"],
    BlkioWeight: flags["blkio-weight"],
    BlkioWeightDevice: flags["blkio-weight-device"],
    BlkioDeviceReadBps: flags["device-read-bps"],
    BlkioDeviceWriteBps: flags["device-write-bps"],
    BlkioDeviceReadIOps: flags["device-read-iops"],
    BlkioDeviceWriteIOps: flags["device-write-iops"],
    CpuPeriod: flags["cpu-period"],
    CpuQuota: flags["cpu-quota"],
    CpuRealtimePeriod: flags["cpu-rt-period"],
    CpuRealtimeRuntime: flags["cpu-rt-runtime"],
    CpusetCpus: flags["cpuset-cpus"],
    CpusetMems: flags["cpuset-mems"],
    ...(flags["kernel-memory"] ? { KernelMemory: flags["kernel-memory"] } : {}),
    MemoryReservation: flags["memory-reservation"],
    MemorySwap: flags["memory-swap"],
    MemorySwappiness: flags["memory-swappiness"],
    OomKillDisable: flags["oom-kill-disable"],
    PidsLimit: flags["pids-limit"],
    Ulimits: [...ulimits.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1)),
    CpuCount: flags["cpu-count"],
    CpuPercent: flags["cpu-percent"],
    IOMaximumIOps: flags["io-maxiops"],
    IOMaximumBandwidth: flags["io-maxbandwidth"],
  };
}
