import type { ResolverConfig } from "./resolv-conf.ts";

/** Where a container's network namespace comes from. */
export type NetworkMode =
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly pid: number }
  /** `macAddress`: instead of one made from the address; six bytes in hexadecimal, joined by `:` or `-`. */
  | { readonly kind: "bridge"; readonly macAddress?: string };

/** A container's attachment to a bridge. */
export interface Endpoint {
  readonly networkId: string;
  readonly networkName: string;
  readonly endpointId: string;
  readonly ipAddress: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly macAddress: string;
  readonly hostInterface: string;
}

export interface Sandbox {
  /**
   * Path for the runtime's network namespace; undefined: the host's. Valid until `release` or the end of this daemon:
   * from the start of its first process on, the container keeps the namespace itself (`/proc/PID/ns/net`).
   */
  readonly namespacePath: string | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Settles when what was given is on disk; to be awaited before the container's own process starts. Absent: nothing to record. */
  readonly recorded?: Promise<void>;
}

export interface NetworkInfo {
  readonly id: string;
  readonly name: string;
  readonly driver: "bridge" | "host" | "null";
  readonly created: string;
  readonly scope: "local";
  readonly internal: boolean;
  readonly subnet?: string;
  readonly gateway?: string;
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** By container id. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

/** Network namespaces, addresses and the way out. One writer of endpoint objects in the store. */
export interface Networks {
  /** Gives the container its namespace and address: from the ready pool where one is ready. Same container, same address while it exists if free. */
  attach(containerId: string, mode: NetworkMode): Promise<Sandbox>;
  /** Gives back what `attach` gave; fast: the kernel's deletion goes on in the background. Free of effect twice. */
  release(containerId: string): Promise<void>;
  list(): readonly NetworkInfo[];
  /** The container is removed: its address is no longer kept for it. Releases it too if that was not done. */
  forget(containerId: string): Promise<void>;
  /** The host's resolver configuration as read now: what `resolvConf` makes a container's file from. */
  hostResolver(hostNetwork: boolean): ResolverConfig;
  /**
   * Makes bridge and rules, frees what containers not in `known` hold, fills the pool. `known`: ids of all containers
   * that exist, running or not.
   */
  recover(known: ReadonlySet<string>): Promise<void>;
  /** Stops work; containers keep their networks. */
  close(): Promise<void>;
}
