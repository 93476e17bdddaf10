import type { Container } from "../../../engine/mod.ts";
import type { Endpoint } from "../../../networks/mod.ts";
import { type EndpointRequest, endpointNames } from "../../../spec/mod.ts";

/** What is shown of a place that a container has not taken yet. */
interface Before {
  readonly networkId?: string;
  readonly macAddress?: string;
  readonly dnsNames?: readonly string[];
}

/** Docker's `EndpointSettings`. */
export function endpointView(
  request: EndpointRequest | undefined,
  endpoint: Endpoint | undefined,
  { networkId = "", macAddress = "", dnsNames = [] }: Before = {},
) {
  const names = endpoint?.dnsNames ?? dnsNames;
  return {
    IPAMConfig: request?.IPAMConfig ?? null,
    Links: request?.Links ?? null,
    Aliases: request?.Aliases ?? null,
    MacAddress: endpoint?.macAddress ?? macAddress,
    NetworkID: endpoint?.networkId ?? networkId,
    EndpointID: endpoint?.endpointId ?? "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.ipAddress ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.ipv6Gateway ?? "",
    GlobalIPv6Address: endpoint?.ipv6Address ?? "",
    GlobalIPv6PrefixLen: endpoint?.ipv6PrefixLength ?? 0,
    DriverOpts: request?.DriverOpts ?? null,
    DNSNames: names.length > 0 ? names : null,
  };
}
export type EndpointView = ReturnType<typeof endpointView>;

/** Ids of the networks there are, by name. */
export type NetworkIds = ReadonlyMap<string, string>;

/** A container's networks by name, those it will join at its start included. */
export function networksOf(container: Container, ids: NetworkIds): Readonly<Record<string, EndpointView>> {
  const { spec, status } = container;
  const names = new Set([...Object.keys(spec.endpoints), ...status.endpoints.map(({ networkName }) => networkName)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const endpoint = status.endpoints.find(({ networkName }) => networkName === name);
      return [name, endpointView(spec.endpoints[name], endpoint, beforeJoining(container, name, ids))];
    }),
  );
}

const WITHOUT_NAMES = ["bridge", "host", "none"];

/** A network's id shows once the container has been started, and stays; the address it asked for shows until then (Docker's). */
function beforeJoining({ id, name, spec, status }: Container, network: string, ids: NetworkIds): Before {
  const request = spec.endpoints[network];
  const hostname = spec.config.Hostname;
  const dnsNames = WITHOUT_NAMES.includes(network) ? [] : endpointNames({ id, name, hostname }, request?.Aliases ?? []);
  if (status.startedAt === undefined) return { macAddress: request?.MacAddress ?? "", dnsNames };
  return { networkId: status.networkIds?.[network] ?? ids.get(network) ?? "", dnsNames };
}
