import { bridgeOptions } from "../bridge/mod.ts";
import type { Endpoint, NetworkInfo } from "../networks.ts";
import type { PortTarget } from "./model.ts";
import type { PortBridge } from "./rules.ts";

/** The bridges of our networks. */
export function portBridges(networks: readonly NetworkInfo[]): readonly PortBridge[] {
  return networks
    .filter(({ driver }) => driver === "bridge")
    .map((network) => ({
      name: bridgeOptions({ id: network.id, spec: network }).name,
      internal: network.internal,
      subnets: network.pools.map(({ subnet }) => subnet),
    }));
}

/** Where a container's ports are to lead. */
export interface PublishingEndpoint {
  readonly endpoint: Endpoint;
  readonly target: PortTarget;
  /** Address of the host for ports that name none; empty: all. */
  readonly hostAddress: string;
}

/**
 * The one of a container's endpoints that its ports lead to: on the bridge that its default route goes by. undefined:
 * its networks have no way out, or bring the container outside themselves (macvlan).
 */
export function publishingEndpoint(
  endpoints: readonly Endpoint[],
  networks: readonly NetworkInfo[],
): PublishingEndpoint | undefined {
  const outwards = endpoints
    .filter(({ gateway, ipv6Gateway }) => gateway !== "" || ipv6Gateway !== "")
    .flatMap((endpoint) => {
      const network = networks.find(({ id, driver }) => id === endpoint.networkId && driver === "bridge");
      return network ? [{ endpoint, network }] : [];
    });
  const [first] = outwards.sort(
    ({ endpoint: one }, { endpoint: other }) =>
      other.gatewayPriority - one.gatewayPriority || (one.networkName < other.networkName ? -1 : 1),
  );
  if (!first) return undefined;
  const { endpoint, network } = first;
  const { ipAddress, ipv6Address, hostInterface } = endpoint;
  const { hostBinding } = bridgeOptions({ id: network.id, spec: network });
  return {
    endpoint,
    target: { ipAddress, ipv6Address, hostInterface },
    hostAddress: hostBinding === "0.0.0.0" ? "" : hostBinding,
  };
}
