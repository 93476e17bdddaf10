import { Endpoints } from "./endpoints.ts";
import { formatMac, knownSubnet } from "./ip.ts";
import type { StoredEndpoint, StoredNetwork } from "./model.ts";
import { givenText, poolOf } from "./network-addresses.ts";
import type { Endpoint, EndpointAsk } from "./networks.ts";
import type { Joined } from "./open-network.ts";

/** What is written down of a container that has just joined a network. */
export function newEndpoint(
  endpointId: string,
  containerId: string,
  network: StoredNetwork,
  ask: EndpointAsk,
  { given, plugged, interfaceName, mac }: Joined,
): StoredEndpoint {
  return {
    id: Endpoints.id(network.id, containerId),
    endpointId,
    containerId,
    networkId: network.id,
    ...givenText(given),
    macAddress: formatMac(mac),
    interfaceName,
    hostInterface: plugged.hostInterface,
    aliases: ask.aliases ?? [],
    dnsNames: ask.dnsNames ?? [],
    links: ask.links ?? [],
    driverOptions: ask.driverOptions ?? {},
    gatewayPriority: ask.gatewayPriority ?? 0,
    ...(ask.linkLocal && ask.linkLocal.length > 0 ? { linkLocal: ask.linkLocal } : {}),
    ...(ask.hostAccess ? { hostAccess: true } : {}),
    ...(ask.egress ? { egress: ask.egress } : {}),
    attached: true,
  };
}

/** An endpoint as others see it: with what its network adds. */
export function describeEndpoint(stored: StoredEndpoint, network: StoredNetwork): Endpoint {
  const { id: _id, containerId: _container, attached: _attached, ...endpoint } = stored;
  const of = (family: 4 | 6, address: string) => {
    const pool = address === "" ? undefined : poolOf(network.pools, family);
    const gateway = network.spec.internal ? "" : (pool?.gateway ?? "");
    return { prefixLength: pool ? knownSubnet(pool.subnet).prefixLength : 0, gateway };
  };
  const [four, six] = [of(4, stored.ipAddress), of(6, stored.ipv6Address)];
  return {
    ...endpoint,
    networkName: network.name,
    prefixLength: four.prefixLength,
    gateway: four.gateway,
    ipv6PrefixLength: six.prefixLength,
    ipv6Gateway: six.gateway,
  };
}
