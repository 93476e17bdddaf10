import type { NetworkInfo } from "../../../networks/mod.ts";

/** Docker's network resource; with its containers when `nameOf` says how they are called. */
export function networkView(network: NetworkInfo, nameOf?: (containerId: string) => string) {
  const config =
    network.subnet === undefined
      ? null
      : [{ Subnet: network.subnet, ...(network.gateway === undefined ? {} : { Gateway: network.gateway }) }];
  const containers = nameOf ? [...network.endpoints] : [];
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv6: false,
    IPAM: { Driver: "default", Options: null, Config: config },
    Internal: network.internal,
    Attachable: false,
    Ingress: false,
    ConfigFrom: { Network: "" },
    ConfigOnly: false,
    Containers: Object.fromEntries(
      containers.map(([id, { endpointId, macAddress, ipAddress, prefixLength }]) => [
        id,
        {
          Name: nameOf?.(id) ?? "",
          EndpointID: endpointId,
          MacAddress: macAddress,
          IPv4Address: ipAddress === "" ? "" : `${ipAddress}/${prefixLength}`,
          IPv6Address: "",
        },
      ]),
    ),
    Options: network.options,
    Labels: network.labels,
  };
}
