import { rfc3339Nano } from "../../../base/mod.ts";
import type { Container } from "../../../engine/mod.ts";
import type { RegistrySettings } from "../../../images/mod.ts";
import type { ApiVersion } from "../api-version.ts";
import type { HostInfo, UseCases } from "../use-cases.ts";

function registryConfig({ mirrors, insecure }: RegistrySettings) {
  const cidrs = insecure.filter((rule) => rule.includes("/"));
  const hosts = insecure.filter((rule) => !rule.includes("/"));
  const index = (name: string, secure: boolean, official: boolean, own: readonly string[]) => [
    name,
    { Name: name, Mirrors: own, Secure: secure, Official: official },
  ];
  return {
    AllowNondistributableArtifactsCIDRs: null,
    AllowNondistributableArtifactsHostnames: null,
    InsecureRegistryCIDRs: [...cidrs, "127.0.0.0/8"],
    IndexConfigs: Object.fromEntries([
      index("docker.io", true, true, mirrors),
      ...hosts.map((host) => index(host, false, false, [])),
    ]),
    Mirrors: mirrors.length === 0 ? null : mirrors,
  };
}
const SWARM = {
  NodeID: "",
  NodeAddr: "",
  LocalNodeState: "inactive",
  ControlAvailable: false,
  Error: "",
  RemoteManagers: null,
};

function counts(containers: readonly Container[]) {
  const paused = containers.filter(({ status }) => status.state === "paused").length;
  const running = containers.filter(({ status }) => status.state === "running" || status.state === "restarting").length;
  return {
    Containers: containers.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: containers.length - running - paused,
  };
}

function commitOf(useCases: Pick<UseCases, "host">, name: string) {
  const id = useCases.host.product().components.find((component) => component.name === name)?.version ?? "";
  return { ID: id, Expected: id };
}

/** `name=seccomp,profile=builtin` as the plain names of before 1.25. */
function securityOptions({ securityOptions: options }: HostInfo, version: ApiVersion): readonly string[] {
  if (version.since(25)) return options;
  return options.map((option) => /(?:^|,)name=([^,]*)/.exec(option)?.[1] ?? option);
}

/** `GET /info`. `now` in milliseconds since the epoch. */
export function infoView(
  useCases: Pick<UseCases, "host" | "containers" | "images">,
  version: ApiVersion,
  { now, volumeDrivers }: { readonly now: number; readonly volumeDrivers: readonly string[] },
) {
  const { host } = useCases;
  const info = host.info();
  const runtimes = [...info.runtimes].map(([name, { path, args }]) => [
    name,
    { path, ...(args.length > 0 ? { runtimeArgs: args } : {}) },
  ]);
  return {
    ID: info.id,
    ...counts(useCases.containers.list()),
    Images: useCases.images.list({}, true).length,
    Driver: info.driver,
    DriverStatus: info.driverStatus,
    Plugins: {
      Volume: volumeDrivers,
      Network: ["bridge", "host", "null"],
      Authorization: null,
      Log: info.logDrivers,
    },
    MemoryLimit: info.limits.memory,
    SwapLimit: info.limits.swap,
    ...(version.before(42) ? { KernelMemory: false } : {}),
    ...(info.limits.kernelMemoryTcp ? { KernelMemoryTCP: true } : {}),
    CpuCfsPeriod: info.limits.cpuQuota,
    CpuCfsQuota: info.limits.cpuQuota,
    CPUShares: info.limits.cpuShares,
    CPUSet: info.limits.cpuSet,
    PidsLimit: info.limits.pids,
    IPv4Forwarding: info.ipv4Forwarding,
    BridgeNfIptables: info.bridgeNfIptables,
    BridgeNfIp6tables: info.bridgeNfIp6tables,
    Debug: false,
    NFd: info.openFiles,
    OomKillDisable: info.limits.oomKillDisable,
    NGoroutines: 1,
    SystemTime: rfc3339Nano(now),
    LoggingDriver: info.defaultLogDriver,
    CgroupDriver: info.cgroupDriver,
    CgroupVersion: String(info.cgroupVersion),
    NEventsListener: 0,
    KernelVersion: info.kernelVersion,
    OperatingSystem: info.operatingSystem,
    OSVersion: info.osVersion,
    OSType: "linux",
    Architecture: info.machine,
    IndexServerAddress: "https://index.docker.io/v1/",
    RegistryConfig: registryConfig(info.registries),
    NCPU: info.cpus,
    MemTotal: info.memory,
    GenericResources: null,
    DockerRootDir: info.rootDirectory,
    HttpProxy: "",
    HttpsProxy: "",
    NoProxy: "",
    Name: info.hostname,
    Labels: info.labels,
    ExperimentalBuild: false,
    ServerVersion: host.product().version,
    Runtimes: Object.fromEntries(runtimes),
    DefaultRuntime: info.defaultRuntime,
    Swarm: SWARM,
    LiveRestoreEnabled: true,
    Isolation: "",
    InitBinary: info.initPath ?? "",
    ContainerdCommit: { ID: "", Expected: "" },
    RuncCommit: commitOf(useCases, info.defaultRuntime),
    InitCommit: { ID: "", Expected: "" },
    SecurityOptions: securityOptions(info, version),
    ...(version.before(25) ? { ExecutionDriver: "<not supported>" } : {}),
    CDISpecDirs: [],
    Warnings: info.warnings.length === 0 ? null : info.warnings,
  };
}
