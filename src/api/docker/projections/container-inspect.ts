import { rfc3339Nano } from "../../../base/mod.ts";
import type { Container, Health } from "../../../engine/mod.ts";
import type { Placement } from "../use-cases.ts";
import { commandOf } from "./command.ts";
import type { Sizes } from "./container-summary.ts";
import { type NetworkIds, networksOf } from "./endpoint.ts";
import { mountPointView } from "./mount-point.ts";
import { portMap } from "./ports.ts";

function healthView({ status, failingStreak, log }: Health) {
  return {
    Status: status,
    FailingStreak: failingStreak,
    Log: log.map(({ start, end, exitCode, output }) => ({
      Start: rfc3339Nano(start),
      End: rfc3339Nano(end),
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

function stateView({ status }: Container) {
  const { state } = status;
  return {
    Status: state,
    Running: state === "running" || state === "paused" || state === "restarting",
    Paused: state === "paused",
    Restarting: state === "restarting",
    OOMKilled: status.oomKilled,
    Dead: state === "dead",
    Pid: status.init?.pid ?? 0,
    ExitCode: status.exitCode,
    Error: status.error,
    StartedAt: rfc3339Nano(status.startedAt),
    FinishedAt: rfc3339Nano(status.finishedAt),
    ...(status.health ? { Health: healthView(status.health) } : {}),
  };
}

function networkSettingsView(container: Container, networkIds: NetworkIds) {
  const { status, id } = container;
  const networks = networksOf(container, networkIds);
  const bridge = networks.bridge;
  return {
    Bridge: "",
    SandboxID: status.namespacePath === undefined ? "" : id,
    SandboxKey: status.namespacePath ?? "",
    Ports: portMap(container),
    HairpinMode: false,
    LinkLocalIPv6Address: "",
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: bridge?.EndpointID ?? "",
    Gateway: bridge?.Gateway ?? "",
    GlobalIPv6Address: "",
    GlobalIPv6PrefixLen: 0,
    IPAddress: bridge?.IPAddress ?? "",
    IPPrefixLen: bridge?.IPPrefixLen ?? 0,
    IPv6Gateway: "",
    MacAddress: bridge?.MacAddress ?? "",
    Networks: networks,
  };
}

/** The address asked for on the container's main network shows as its own too (Docker's, for clients of before 1.44). */
function configView({ spec }: Container): Container["spec"]["config"] {
  const { NetworkMode } = spec.hostConfig;
  const mac = spec.endpoints[NetworkMode === "default" ? "bridge" : NetworkMode]?.MacAddress;
  return mac ? { ...spec.config, MacAddress: mac } : spec.config;
}

/** `GET /containers/{id}/json`. */
export function containerInspectView(
  container: Container,
  place: ReturnType<Placement["container"]>,
  networkIds: NetworkIds,
  { links = [], sizes }: { readonly links?: readonly string[]; readonly sizes?: Sizes | undefined } = {},
) {
  const { id, name, created, spec, status } = container;
  const { path, args } = commandOf(spec.config);
  return {
    Id: id,
    Created: rfc3339Nano(created),
    Path: path,
    Args: args,
    State: stateView(container),
    Image: spec.imageId ?? "",
    ResolvConfPath: place.resolvConfPath,
    HostnamePath: place.hostnamePath,
    HostsPath: place.hostsPath,
    LogPath: place.logPath,
    Name: `/${name}`,
    RestartCount: status.restartCount,
    Driver: place.graphDriver.name,
    Platform: spec.platform,
    MountLabel: "",
    ProcessLabel: "",
    AppArmorProfile: place.appArmorProfile,
    ExecIDs: place.execIds.length === 0 ? null : place.execIds,
    HostConfig: links.length === 0 ? spec.hostConfig : { ...spec.hostConfig, Links: links },
    GraphDriver: { Data: place.graphDriver.data, Name: place.graphDriver.name },
    ...(sizes ? { SizeRw: sizes.writable, SizeRootFs: sizes.root } : {}),
    Mounts: spec.mounts.map(mountPointView),
    Config: configView(container),
    NetworkSettings: networkSettingsView(container, networkIds),
  };
}
