import type { Container } from "../../../engine/mod.ts";
import type { Endpoint } from "../../../networks/mod.ts";
import type { EndpointRequest } from "../../../spec/mod.ts";

/** Docker's `EndpointSettings`. */
export function endpointView(request: EndpointRequest | undefined, endpoint: Endpoint | undefined, networkId = "") {
  return {
    IPAMConfig: request?.IPAMConfig ?? null,
    Links: request?.Links ?? null,
    Aliases: request?.Aliases ?? null,
    MacAddress: endpoint?.macAddress ?? "",
    NetworkID: endpoint?.networkId ?? networkId,
    EndpointID: endpoint?.endpointId ?? "",
    Gateway: endpoint?.gateway ?? "",
    IPAddress: endpoint?.ipAddress ?? "",
    IPPrefixLen: endpoint?.prefixLength ?? 0,
    IPv6Gateway: endpoint?.ipv6Gateway ?? "",
    GlobalIPv6Address: endpoint?.ipv6Address ?? "",
    GlobalIPv6PrefixLen: endpoint?.ipv6PrefixLength ?? 0,
    DriverOpts: request?.DriverOpts ?? null,
    DNSNames: endpoint && endpoint.dnsNames.length > 0 ? endpoint.dnsNames : null,
  };
}
export type EndpointView = ReturnType<typeof endpointView>;

/** Ids of the networks there are, by name. */
export type NetworkIds = ReadonlyMap<string, string>;

/** A container's networks by name, those it will join at its start included. */
export function networksOf({ spec, status }: Container, ids: NetworkIds): Readonly<Record<string, EndpointView>> {
  const names = new Set([...Object.keys(spec.endpoints), ...status.endpoints.map(({ networkName }) => networkName)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const endpoint = status.endpoints.find(({ networkName }) => networkName === name);
      // A network's id shows once the container has been on it, and stays.
      const id = status.networkIds?.[name] ?? (status.startedAt === undefined ? "" : ids.get(name));
      return [name, endpointView(spec.endpoints[name], endpoint, id)];
    }),
  );
}
