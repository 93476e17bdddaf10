import { defineKind } from "../store/mod.ts";

/** A network as it is stored. */
export interface StoredNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge" | "host" | "null";
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** `bridge` only: CIDR. */
  readonly subnet?: string;
  readonly gateway?: string;
}

/** An address of a network and the container that has it, or had it and may want it again. */
export interface StoredEndpoint {
  /** Network and container. */
  readonly id: string;
  /** As the API shows it; another one for each start. */
  readonly endpointId: string;
  readonly containerId: string;
  readonly networkId: string;
  readonly ipAddress: string;
  readonly hostInterface: string;
  /** Where the container asked for one of its own. */
  readonly macAddress?: string;
  /** false: the container is stopped; the address is only remembered for it. */
  readonly attached: boolean;
}

export const networkKind = defineKind<StoredNetwork>("network", {
  name: { unique: true, values: (network) => [network.name] },
});

export const endpointKind = defineKind<StoredEndpoint>("endpoint", {
  address: {
    unique: true,
    values: (endpoint) => (endpoint.attached ? [`${endpoint.networkId} ${endpoint.ipAddress}`] : []),
  },
});
