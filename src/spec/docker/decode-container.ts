import { HavreError } from "../../base/mod.ts";
import type { ContainerConfig, ContainerCreateRequest, EndpointRequest, HostConfig } from "./container.ts";
import {
  asConfig,
  asHostConfig,
  configFields,
  hostConfig,
  hostConfigFields,
  networkingConfig,
} from "./container-schema.ts";
import { decodeAs, embedded, mentions, mismatch, type Place, parseJson, pointer, string, struct } from "./go-json.ts";

const TOP: Place = { struct: "", path: [] };
const WRAPPER = ["ContainerConfigWrapper", "runconfig.ContainerConfigWrapper"] as const;

const topConfig = asConfig(struct(...WRAPPER, embedded("Config", configFields)));
/** HostConfig's fields at the top of the body: how API 1.18 wrote them; Docker reads them still. */
const topHostConfig = asHostConfig(struct(...WRAPPER, hostConfigFields));
const wrapper = struct(...WRAPPER, {
  HostConfig: pointer(hostConfig),
  NetworkingConfig: pointer(networkingConfig),
  Cpuset: string,
});

/** The body of a request that carries a container's configuration: what of it was there. */
export interface ContainerBody {
  readonly config: ContainerConfig | undefined;
  readonly hostConfig: HostConfig | undefined;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
}

/** Fields that the old form of the body may give beside HostConfig; HostConfig's own win. */
function withLegacy(
  inner: HostConfig | undefined,
  legacy: HostConfig | undefined,
  cpuset: string,
): HostConfig | undefined {
  const host = inner ?? legacy;
  if (!host) return undefined;
  return {
    ...host,
    Memory: host.Memory || legacy?.Memory || 0,
    MemorySwap: host.MemorySwap || legacy?.MemorySwap || 0,
    CpuShares: host.CpuShares || legacy?.CpuShares || 0,
    CpusetCpus: host.CpusetCpus || legacy?.CpusetCpus || cpuset,
    VolumeDriver: host.VolumeDriver || legacy?.VolumeDriver || "",
  };
}

/**
 * Reads the body of `POST /containers/create` and `POST /commit`: ContainerConfig with HostConfig and NetworkingConfig inside.
 * `invalid-argument` in Docker's words, naming the field that is wrong.
 */
export function decodeContainerBody(text: string): ContainerBody {
  const body = parseJson(text);
  if (body === null) return { config: undefined, hostConfig: undefined, endpoints: {} };
  if (typeof body !== "object" || Array.isArray(body)) throw mismatch(body, WRAPPER[1], TOP);
  const { HostConfig: inner, NetworkingConfig: networking, Cpuset: cpuset } = decodeAs(wrapper, body, TOP);
  const config = mentions(body, configFields) ? decodeAs(topConfig, body, TOP) : undefined;
  const legacy = mentions(body, hostConfigFields) ? decodeAs(topHostConfig, body, TOP) : undefined;
  const endpoints = Object.entries(networking?.EndpointsConfig ?? {}).map(
    ([name, value]) => [name, value ?? {}] as const,
  );
  return {
    config,
    hostConfig: withLegacy(inner ?? undefined, legacy, cpuset),
    endpoints: Object.fromEntries(endpoints),
  };
}

const DEFAULT_NETWORK = "default";

/** `POST /containers/create`: the body with every field there, the network `default` by its own name. */
export function decodeContainerCreate(text: string): ContainerCreateRequest {
  const body = decodeContainerBody(text);
  if (!body.config) throw new HavreError("invalid-argument", "config cannot be empty in order to create a container");
  const host = body.hostConfig ?? hostConfig.zero();
  if (host.NetworkMode !== "" && host.NetworkMode !== DEFAULT_NETWORK) {
    return { config: body.config, hostConfig: host, endpoints: body.endpoints };
  }
  const { [DEFAULT_NETWORK]: byDefault, ...others } = body.endpoints;
  return {
    config: body.config,
    hostConfig: { ...host, NetworkMode: "bridge" },
    endpoints: byDefault ? { ...others, bridge: byDefault } : others,
  };
}
