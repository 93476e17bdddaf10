import type { IpamPool, NetworkInfo } from "../../../networks/mod.ts";

/** Docker's `IPAMConfig`. */
function poolView({ subnet, ipRange, gateway, auxiliary }: IpamPool) {
  return {
    Subnet: subnet,
    ...(ipRange ? { IPRange: ipRange } : {}),
    ...(gateway ? { Gateway: gateway } : {}),
    ...(auxiliary && Object.keys(auxiliary).length > 0 ? { AuxiliaryAddresses: auxiliary } : {}),
  };
}

/** Docker's network resource; with its containers when `nameOf` says how they are called. */
export function networkView(network: NetworkInfo, nameOf?: (containerId: string) => string) {
  const asked = network.ipam.pools.filter(({ subnet }) => subnet !== "");
  // As asked, then what was chosen for a family that nothing was asked of (Docker's order).
  const isV6 = ({ subnet }: IpamPool) => subnet.includes(":");
  const chosen = network.pools.filter((pool) => !asked.some((one) => isV6(one) === isV6(pool)));
  const config = [...asked, ...chosen].map(poolView);
  const containers = nameOf ? [...network.endpoints] : [];
  return {
    Name: network.name,
    Id: network.id,
    Created: network.created,
    Scope: network.scope,
    Driver: network.driver,
    EnableIPv6: network.ipv6,
    IPAM: {
      Driver: network.ipam.driver || "default",
      Options: network.ipam.options ?? null,
      Config: config.length > 0 ? config : null,
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: network.ingress,
    ConfigFrom: { Network: network.configFrom },
    ConfigOnly: network.configOnly,
    Containers: Object.fromEntries(
      containers.map(([id, { endpointId, macAddress, ipAddress, prefixLength, ipv6Address, ipv6PrefixLength }]) => [
        id,
        {
          Name: nameOf?.(id) ?? "",
          EndpointID: endpointId,
          MacAddress: macAddress,
          IPv4Address: ipAddress === "" ? "" : `${ipAddress}/${prefixLength}`,
          IPv6Address: ipv6Address === "" ? "" : `${ipv6Address}/${ipv6PrefixLength}`,
        },
      ]),
    ),
    Options: network.options,
    Labels: network.labels,
  };
}
