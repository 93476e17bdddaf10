import { HavreError } from "../../base/mod.ts";
import type { ContainerCreateRequest, EndpointRequest, HostConfig, MountRequest } from "../../spec/mod.ts";
import type { ApiVersion } from "./api-version.ts";

function invalid(message: string): HavreError {
  return new HavreError("invalid-argument", message);
}

/** Mount options as the version has them: unknown ones dropped, wrong ones refused. */
function adaptMount(mount: MountRequest, version: ApiVersion): MountRequest {
  const { BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs, ...rest } = mount;
  if (version.since(42)) {
    if (volume && mount.Type !== "volume")
      throw invalid(`VolumeOptions must not be specified on mount type "${mount.Type}"`);
    if (bind && mount.Type !== "bind") throw invalid(`BindOptions must not be specified on mount type "${mount.Type}"`);
    if (tmpfs && mount.Type !== "tmpfs")
      throw invalid(`TmpfsOptions must not be specified on mount type "${mount.Type}"`);
  }
  if (version.before(44) && bind?.ReadOnlyForceRecursive)
    throw invalid("BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer");
  if (version.before(45) && volume?.Subpath) throw invalid("VolumeOptions.Subpath needs API v1.45 or newer");
  const { CreateMountpoint, NonRecursive, ...bindRest } = bind ?? {};
  const slimBind = {
    ...bindRest,
    ...(CreateMountpoint && version.since(42) ? { CreateMountpoint } : {}),
    ...(NonRecursive && version.since(40) ? { NonRecursive } : {}),
    // Before 1.44 a read-only bind left what is mounted below it writable; its clients count on that.
    ...(version.before(44) && mount.Type === "bind" && mount.ReadOnly ? { ReadOnlyNonRecursive: true } : {}),
  };
  return {
    ...rest,
    ...(bind || Object.keys(slimBind).length > 0 ? { BindOptions: slimBind } : {}),
    ...(volume && mount.Type === "volume" ? { VolumeOptions: volume } : {}),
    ...(tmpfs && mount.Type === "tmpfs" ? { TmpfsOptions: tmpfs } : {}),
  };
}

function adaptHostConfig(host: HostConfig, version: ApiVersion, cgroupVersion: 1 | 2): HostConfig {
  const { KernelMemory, KernelMemoryTCP, Annotations, Mounts, ...rest } = host;
  return {
    ...rest,
    AutoRemove: host.AutoRemove && version.since(25),
    IpcMode: host.IpcMode === "" && version.before(40) ? "shareable" : host.IpcMode,
    CgroupnsMode: host.CgroupnsMode === "" && version.before(41) && cgroupVersion === 1 ? "host" : host.CgroupnsMode,
    ConsoleSize: version.before(42) ? [0, 0] : host.ConsoleSize,
    // 0 and less are how clients say: no limit.
    PidsLimit: host.PidsLimit !== null && host.PidsLimit <= 0 ? null : host.PidsLimit,
    ...(KernelMemory && version.before(42) ? { KernelMemory } : {}),
    ...(KernelMemoryTCP && version.since(40) ? { KernelMemoryTCP } : {}),
    ...(Annotations && version.since(43) ? { Annotations } : {}),
    ...(Mounts ? { Mounts: Mounts.map((mount) => adaptMount(mount, version)) } : {}),
  };
}

const WITHOUT_ADDRESS = new Set(["host", "none"]);

function hasOwnAddress(mode: string): boolean {
  return !WITHOUT_ADDRESS.has(mode) && !mode.startsWith("container:");
}

/** The container-wide MAC address of before 1.44 belongs to the network now. */
function adaptMacAddress(
  request: ContainerCreateRequest,
  version: ApiVersion,
): { request: ContainerCreateRequest; warnings: readonly string[] } {
  const { MacAddress: wide = "", ...config } = request.config;
  const mode = request.hostConfig.NetworkMode;
  const { endpoints } = request;
  if (version.before(44)) {
    if (wide === "") return { request: { ...request, endpoints: mapEndpoints(endpoints, "") }, warnings: [] };
    if (!hasOwnAddress(mode)) throw invalid("conflicting options: mac-address and the network mode");
    const named = Object.keys(endpoints).length === 0 ? { [mode]: {} } : endpoints;
    return { request: { ...request, endpoints: mapEndpoints(named, wide) }, warnings: [] };
  }
  if (wide === "") return { request, warnings: [] };
  const warnings = [
    "The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.",
  ];
  if (!hasOwnAddress(mode)) return { request: { ...request, config }, warnings };
  if (Object.keys(endpoints).length === 0) {
    return { request: { ...request, config, endpoints: { [mode]: { MacAddress: wide } } }, warnings };
  }
  const endpoint = endpoints[mode];
  if (!endpoint) {
    throw invalid(
      "if a container-wide MAC address is supplied, HostConfig.NetworkMode must match the identity of a network in NetworkSettings.Networks",
    );
  }
  if (endpoint.MacAddress && endpoint.MacAddress !== wide) {
    throw invalid(
      "the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty",
    );
  }
  return {
    request: { ...request, config, endpoints: { ...endpoints, [mode]: { ...endpoint, MacAddress: wide } } },
    warnings,
  };
}

function mapEndpoints(
  endpoints: Readonly<Record<string, EndpointRequest>>,
  MacAddress: string,
): Readonly<Record<string, EndpointRequest>> {
  return Object.fromEntries(Object.entries(endpoints).map(([name, endpoint]) => [name, { ...endpoint, MacAddress }]));
}

/** A create request as clients of this API version mean it. */
export function adaptCreate(
  given: ContainerCreateRequest,
  version: ApiVersion,
  cgroupVersion: 1 | 2,
): { readonly request: ContainerCreateRequest; readonly warnings: readonly string[] } {
  const names = Object.keys(given.endpoints);
  if (version.before(44) && names.length > 1) {
    throw invalid(`Container cannot be created with multiple network endpoints: ${names.join(", ")}`);
  }
  const { Healthcheck } = given.config;
  const { StartInterval: _, ...olderHealthcheck } = Healthcheck ?? {};
  const config = Healthcheck && version.before(44) ? { ...given.config, Healthcheck: olderHealthcheck } : given.config;
  return adaptMacAddress(
    { ...given, config, hostConfig: adaptHostConfig(given.hostConfig, version, cgroupVersion) },
    version,
  );
}
