import { defineKind } from "../store/mod.ts";
import type { Egress } from "./egress/mod.ts";
import { endpointOfOneNetwork, networkOfOneSubnet } from "./upgrades.ts";

/** `null` is Docker's name for the network `none`. */
export type DriverName = "bridge" | "host" | "null" | "macvlan";

/** Addresses of a network: one subnet with what is said about it. Text as the API has it. */
export interface IpamPool {
  readonly subnet: string;
  /** Containers get addresses of this part only. */
  readonly ipRange?: string;
  readonly gateway?: string;
  /** Addresses kept free for others, by name. */
  readonly auxiliary?: Readonly<Record<string, string>>;
}

/** What the user asked for when the network was made; never rewritten. */
export interface NetworkSpec {
  readonly driver: DriverName;
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly ingress: boolean;
  readonly configOnly: boolean;
  /** Name of the network whose configuration was taken; empty: none. */
  readonly configFrom: string;
  /** `local`; the cluster's networks will have `swarm`. */
  readonly scope: "local";
  readonly ipam: {
    readonly driver: string;
    readonly options: Readonly<Record<string, string>> | undefined;
    readonly pools: readonly IpamPool[];
  };
  /** The driver's (`com.docker.network.bridge.name`). */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** A network as it is stored. */
export interface StoredNetwork {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly spec: NetworkSpec;
  /** What it was given: complete pools, each with its gateway where it has one, at most one of each family in use. */
  readonly pools: readonly IpamPool[];
}

/** A container's place in a network, or the one it had and may want again. */
export interface StoredEndpoint {
  /** Network and container. */
  readonly id: string;
  /** As the API shows it; another one for each start. */
  readonly endpointId: string;
  readonly containerId: string;
  readonly networkId: string;
  /** Empty: none of this family. */
  readonly ipAddress: string;
  readonly ipv6Address: string;
  readonly macAddress: string;
  /** Inside the container (`eth0`). */
  readonly interfaceName: string;
  /** The host's end of a veth pair; empty where there is none (macvlan). */
  readonly hostInterface: string;
  readonly aliases: readonly string[];
  /** Names under which others on this network find it. */
  readonly dnsNames: readonly string[];
  /** `container:alias`, as asked. */
  readonly links: readonly string[];
  readonly driverOptions: Readonly<Record<string, string>>;
  /** Link-local addresses beside those given, as asked. */
  readonly linkLocal?: readonly string[];
  /** It may reach services of the host by the bridge's address. */
  readonly hostAccess?: boolean;
  /** What it may reach outside its networks; absent: everything. */
  readonly egress?: Egress;
  /** The higher, the sooner the default route goes this way. */
  readonly gatewayPriority: number;
  /** false: the container is stopped; the addresses are only remembered for it. */
  readonly attached: boolean;
}

export const networkKind = defineKind<StoredNetwork>(
  "network",
  { name: { unique: true, values: (network) => [network.name] } },
  [networkOfOneSubnet],
);

export const endpointKind = defineKind<StoredEndpoint>(
  "endpoint",
  {
    address: {
      unique: true,
      values: ({ attached, networkId, ipAddress, ipv6Address }) =>
        attached ? [ipAddress, ipv6Address].filter((one) => one !== "").map((one) => `${networkId} ${one}`) : [],
    },
  },
  [endpointOfOneNetwork],
);
