import type { PortProtocol } from "../../kernel/mod.ts";
import { defineKind } from "../../store/mod.ts";

/** One line of what a container asks to have published. */
export interface PortRequest {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** Of the host; empty: all of them, IPv4 and IPv6. */
  readonly hostAddress: string;
  /** First and last of the host ports that will do; undefined: any of the ephemeral range. */
  readonly hostPorts: readonly [number, number] | undefined;
  /** Reached from outside whatever the host's firewall says. */
  readonly open: boolean;
}

/** A host port that leads to a container. */
export interface PublishedPort {
  readonly protocol: PortProtocol;
  readonly containerPort: number;
  /** `0.0.0.0` and `::`: all of that family. */
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly open: boolean;
}

/** Where a container's ports lead. */
export interface PortTarget {
  /** Addresses in the network that leads outside; empty: none of this family. */
  readonly ipAddress: string;
  readonly ipv6Address: string;
  /** The host's end of the container's link to it. */
  readonly hostInterface: string;
}

/** The ports of one container, as given or, when it is stopped, as it had them and may want them again. */
export interface StoredPublication {
  /** The container's. */
  readonly id: string;
  readonly containerName: string;
  readonly target: PortTarget;
  readonly ports: readonly PublishedPort[];
  /** false: the container is stopped. */
  readonly active: boolean;
}

export const publicationKind = defineKind<StoredPublication>("publication", {});
