import type {
  ContainerConfig,
  EndpointRequest,
  HostConfig,
  MountRequest,
  Propagation,
  RestartPolicyName,
} from "./container.ts";
import {
  bool,
  duration,
  embedded,
  emptyStruct,
  fileMode,
  int,
  int64,
  list,
  listOrEmpty,
  map,
  mapOrEmpty,
  named,
  omitEmpty,
  omitNull,
  pointer,
  type StructValue,
  string,
  stringOrList,
  struct,
  type Type,
  uint,
  uint16,
  uint64,
} from "./go-json.ts";

/** Docker Engine API: the shapes of a container's configuration, field by field with the types Docker's own structs have. */
export const healthcheck = omitEmpty(
  struct("HealthcheckConfig", "container.HealthcheckConfig", {
    Test: list(string),
    Interval: duration,
    Timeout: duration,
    StartPeriod: duration,
    StartInterval: duration,
    Retries: int,
  }),
  "Test",
  "Interval",
  "Timeout",
  "StartPeriod",
  "StartInterval",
  "Retries",
);

export const configFields = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: map(emptyStruct),
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: list(string),
  Cmd: stringOrList,
  Healthcheck: pointer(healthcheck),
  ArgsEscaped: bool,
  Image: string,
  Volumes: map(emptyStruct),
  WorkingDir: string,
  Entrypoint: stringOrList,
  NetworkDisabled: bool,
  MacAddress: string,
  OnBuild: list(string),
  Labels: mapOrEmpty(string),
  StopSignal: string,
  StopTimeout: pointer(int),
  Shell: stringOrList,
} as const;

const weightDevice = struct("WeightDevice", "blkiodev.WeightDevice", { Path: string, Weight: uint16 });
const throttleDevice = struct("ThrottleDevice", "blkiodev.ThrottleDevice", { Path: string, Rate: uint64 });
const deviceMapping = struct("DeviceMapping", "container.DeviceMapping", {
  PathOnHost: string,
  PathInContainer: string,
  CgroupPermissions: string,
});
const deviceRequest = struct("DeviceRequest", "container.DeviceRequest", {
  Driver: string,
  Count: int,
  DeviceIDs: list(string),
  Capabilities: list(listOrEmpty(string)),
  Options: map(string),
});
const ulimit = struct("Ulimit", "units.Ulimit", { Name: string, Hard: int64, Soft: int64 });

export const restartPolicy = struct("RestartPolicy", "container.RestartPolicy", {
  Name: named<RestartPolicyName>("container.RestartPolicyMode"),
  MaximumRetryCount: int,
});

export const resourceFields = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(weightDevice),
  BlkioDeviceReadBps: list(throttleDevice),
  BlkioDeviceWriteBps: list(throttleDevice),
  BlkioDeviceReadIOps: list(throttleDevice),
  BlkioDeviceWriteIOps: list(throttleDevice),
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(deviceMapping),
  DeviceCgroupRules: list(string),
  DeviceRequests: list(deviceRequest),
  KernelMemory: int64,
  KernelMemoryTCP: int64,
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: pointer(int64),
  OomKillDisable: pointer(bool),
  PidsLimit: pointer(int64),
  Ulimits: list(ulimit),
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: uint64,
  IOMaximumBandwidth: uint64,
} as const;

const bindOptions = struct("BindOptions", "mount.BindOptions", {
  Propagation: named<Propagation>("mount.Propagation"),
  NonRecursive: bool,
  CreateMountpoint: bool,
  ReadOnlyNonRecursive: bool,
  ReadOnlyForceRecursive: bool,
});
const driver = struct("Driver", "mount.Driver", { Name: string, Options: mapOrEmpty(string) });
const volumeOptions = omitNull(
  struct("VolumeOptions", "mount.VolumeOptions", {
    NoCopy: bool,
    Labels: mapOrEmpty(string),
    Subpath: string,
    DriverConfig: pointer(driver),
  }),
  "DriverConfig",
);
const tmpfsOptions = struct("TmpfsOptions", "mount.TmpfsOptions", {
  SizeBytes: int64,
  Mode: fileMode,
  Options: listOrEmpty(listOrEmpty(string)),
});
const mount = omitNull(
  omitEmpty(
    struct("Mount", "mount.Mount", {
      Type: named<MountRequest["Type"]>("mount.Type"),
      Source: string,
      Target: string,
      ReadOnly: bool,
      Consistency: named<string>("mount.Consistency"),
      BindOptions: pointer(
        omitEmpty(
          bindOptions,
          "Propagation",
          "NonRecursive",
          "CreateMountpoint",
          "ReadOnlyNonRecursive",
          "ReadOnlyForceRecursive",
        ),
      ),
      VolumeOptions: pointer(omitEmpty(volumeOptions, "NoCopy", "Labels", "Subpath")),
      TmpfsOptions: pointer(omitEmpty(tmpfsOptions, "SizeBytes", "Mode", "Options")),
    }),
    "Source",
    "ReadOnly",
    "Consistency",
  ),
  "BindOptions",
  "VolumeOptions",
  "TmpfsOptions",
);

export const portBinding = struct("PortBinding", "nat.PortBinding", { HostIp: string, HostPort: string });

/** `[2]uint`: surplus numbers are dropped, missing ones are zero. */
const consoleSize: Type<readonly [number, number]> = {
  name: "[2]uint",
  zero: () => [0, 0],
  decode: (value, place) => {
    const given = list(uint).decode(value, place) ?? [];
    return [given[0] ?? 0, given[1] ?? 0];
  },
};
export const consoleSizeOrNone = pointer(consoleSize);

export const hostConfigFields = {
  Binds: list(string),
  ContainerIDFile: string,
  LogConfig: struct("LogConfig", "container.LogConfig", { Type: string, Config: mapOrEmpty(string) }),
  NetworkMode: named<string>("container.NetworkMode"),
  PortBindings: mapOrEmpty(list(portBinding)),
  RestartPolicy: restartPolicy,
  AutoRemove: bool,
  VolumeDriver: string,
  VolumesFrom: list(string),
  ConsoleSize: consoleSize,
  Annotations: map(string),
  CapAdd: stringOrList,
  CapDrop: stringOrList,
  CgroupnsMode: named<string>("container.CgroupnsMode"),
  Dns: list(string),
  DnsOptions: list(string),
  DnsSearch: list(string),
  ExtraHosts: list(string),
  GroupAdd: list(string),
  IpcMode: named<string>("container.IpcMode"),
  Cgroup: named<string>("container.CgroupSpec"),
  Links: list(string),
  OomScoreAdj: int,
  PidMode: named<string>("container.PidMode"),
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: list(string),
  StorageOpt: map(string),
  Tmpfs: map(string),
  UTSMode: named<string>("container.UTSMode"),
  UsernsMode: named<string>("container.UsernsMode"),
  ShmSize: int64,
  Sysctls: map(string),
  Runtime: string,
  Isolation: named<string>("container.Isolation"),
  ...embedded("Resources", resourceFields),
  Mounts: list(mount),
  MaskedPaths: list(string),
  ReadonlyPaths: list(string),
  Init: pointer(bool),
} as const;

export const endpointSettings: Type<EndpointRequest> = struct("EndpointSettings", "network.EndpointSettings", {
  IPAMConfig: pointer(
    omitEmpty(
      struct("EndpointIPAMConfig", "network.EndpointIPAMConfig", {
        IPv4Address: string,
        IPv6Address: string,
        LinkLocalIPs: list(string),
      }),
      "IPv4Address",
      "IPv6Address",
      "LinkLocalIPs",
    ),
  ),
  Links: list(string),
  Aliases: list(string),
  MacAddress: string,
  NetworkID: string,
  DriverOpts: map(string),
});

export const networkingConfig = struct("NetworkingConfig", "network.NetworkingConfig", {
  EndpointsConfig: map(pointer(endpointSettings)),
});

type ConfigValue = StructValue<typeof configFields>;
type HostConfigValue = StructValue<typeof hostConfigFields>;

/** `ContainerConfig` out of a struct with its fields, wherever they stand. */
export function asConfig(type: Type<ConfigValue>): Type<ContainerConfig> {
  const slim = omitEmpty(type, "ExposedPorts", "ArgsEscaped", "NetworkDisabled", "MacAddress", "StopSignal", "Shell");
  return omitNull(slim, "Healthcheck", "StopTimeout");
}

/** `HostConfig` out of a struct with its fields, wherever they stand. */
export function asHostConfig(type: Type<HostConfigValue>): Type<HostConfig> {
  const slim = omitEmpty(
    type,
    "KernelMemory",
    "KernelMemoryTCP",
    "Annotations",
    "StorageOpt",
    "Tmpfs",
    "Sysctls",
    "Mounts",
  );
  return omitNull(slim, "Init");
}

export const hostConfig = asHostConfig(struct("HostConfig", "container.HostConfig", hostConfigFields));
