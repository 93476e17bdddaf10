import type { NetworkNamespace } from "../kernel/mod.ts";
import type { Egress } from "./egress/mod.ts";
import type { IpamPool, NetworkSpec, StoredEndpoint } from "./model.ts";
import type { Outbound } from "./outbound.ts";
import type { ResolverConfig } from "./resolv-conf.ts";

/** What a container asks of one network; everything but the network may be left to us. */
export interface EndpointAsk {
  /** Name or id. */
  readonly network: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocal?: readonly string[];
  /** Instead of one made from the address: six bytes in hexadecimal, joined by `:` or `-`. */
  readonly macAddress?: string;
  readonly aliases?: readonly string[];
  readonly dnsNames?: readonly string[];
  /** `container:alias`. */
  readonly links?: readonly string[];
  readonly driverOptions?: Readonly<Record<string, string>>;
  /** The default route goes by the network with the highest; among equals by the first in the alphabet (Docker's). */
  readonly gatewayPriority?: number;
  /** It is to reach services of the host by the bridge's address. */
  readonly hostAccess?: boolean;
  /** What it may reach outside its networks; absent: everything. */
  readonly egress?: Egress;
}

/** Where a container's network namespace comes from. */
export type NetworkMode =
  | { readonly kind: "none" }
  | { readonly kind: "host" }
  | { readonly kind: "container"; readonly pid: number }
  /** One or more networks; the first is `eth0`. */
  | { readonly kind: "networks"; readonly endpoints: readonly EndpointAsk[] };

/** A container's attachment to a network. Addresses and gateways are empty where there are none. */
export interface Endpoint extends Omit<StoredEndpoint, "id" | "containerId" | "attached"> {
  readonly networkName: string;
  readonly prefixLength: number;
  readonly gateway: string;
  readonly ipv6PrefixLength: number;
  readonly ipv6Gateway: string;
}

export interface Sandbox {
  /**
   * Path for the runtime's network namespace; undefined: the host's. Valid until `release` or the end of this daemon:
   * from the start of its first process on, the container keeps the namespace itself (`/proc/PID/ns/net`).
   */
  readonly namespacePath: string | undefined;
  /** In the order of the container's interfaces. */
  readonly endpoints: readonly Endpoint[];
  /**
   * Settles when what was given is on disk and the listeners are done; to be awaited before the container's own process
   * starts. Absent: nothing to wait for.
   */
  readonly recorded?: Promise<void>;
}

export interface NetworkInfo extends NetworkSpec {
  readonly id: string;
  readonly name: string;
  /** RFC 3339. */
  readonly created: string;
  /** What the network has, asked for or chosen; `ipam.pools` is what was asked. */
  readonly pools: readonly IpamPool[];
  /** Of containers that run, by container id. */
  readonly endpoints: ReadonlyMap<string, Endpoint>;
}

export interface NetworkRequest extends Partial<NetworkSpec> {
  readonly name: string;
}

/** A container's namespace with what is in it. */
export interface AttachedSandbox {
  readonly containerId: string;
  /** Open until `detached` was called; to work inside, `inNetworkNamespace`. */
  readonly namespace: NetworkNamespace;
  readonly endpoints: readonly Endpoint[];
}

/**
 * Hears of every namespace that containers on networks (not `none`, `host`, `container:`) have: name servers and
 * published ports plug in here.
 */
export interface SandboxListener {
  /**
   * A container got its networks, another set of networks (connect, disconnect), or was found running by a new daemon.
   * The container's first process waits for the promise; a failure fails the start or connect.
   */
  attached(sandbox: AttachedSandbox): Promise<void> | void;
  /** The namespace is let go of: close what is inside. Must not throw. */
  detached(containerId: string): void;
  /** A network is gone. */
  networkRemoved?(): Promise<void>;
}

/** Networks, network namespaces, addresses and the way out. One writer of network and endpoint objects in the store. */
export interface Networks {
  /**
   * Gives the container its namespace and addresses: from a ready pool where one is ready. Same container, same
   * addresses while free. `not-found` for a network that is not there, `failed-precondition` or `conflict` for an
   * address that cannot be had. `own`: the new namespace to use, its loopback down, which the caller may
   * close afterwards.
   */
  attach(containerId: string, mode: NetworkMode, own?: NetworkNamespace): Promise<Sandbox>;
  /** Gives back what `attach` gave; fast: the kernel's deletion goes on in the background. Free of effect twice. */
  release(containerId: string): Promise<void>;
  /** The container is removed: its addresses are no longer kept for it. Releases it too if that was not done. */
  forget(containerId: string): Promise<void>;
  /** Another network for a container that has a namespace. */
  connect(containerId: string, ask: EndpointAsk): Promise<readonly Endpoint[]>;
  /** Other names for a container that has a namespace, on each of its networks. */
  setNames(containerId: string, namesOn: (endpoint: Endpoint) => readonly string[]): Promise<readonly Endpoint[]>;
  /** Takes a network away from a container that has a namespace, or what a stopped one kept of it. Returns what is left. */
  disconnect(containerId: string, network: string): Promise<readonly Endpoint[]>;

  /** What a container has now, in the order of its interfaces. */
  endpointsOf(containerId: string): readonly Endpoint[];
  /** What is wrong with an ask, in Docker's words; nothing for a network that is not there (yet). */
  problemsOf(ask: EndpointAsk): readonly string[];

  /** What limited containers try beyond their own networks. */
  readonly outbound: Outbound;

  /** Makes a network. `already-exists`, `invalid-argument` and `conflict` (overlap) with Docker's texts. */
  create(request: NetworkRequest): Promise<NetworkInfo>;
  /** `failed-precondition` while containers are on it, `permission-denied` for one that every host has. */
  remove(ref: string): Promise<NetworkInfo>;
  list(): readonly NetworkInfo[];
  /** By id, name, or unambiguous id prefix, in that order; `not-found` and `invalid-argument` with Docker's texts. */
  get(ref: string): NetworkInfo;

  /** Tells `listener` of all sandboxes there are and will be. */
  watchSandboxes(listener: SandboxListener): Disposable;
  /** The host's resolver configuration as read now: what `resolvConf` makes a container's file from. */
  hostResolver(hostNetwork: boolean): ResolverConfig;
  /**
   * Makes bridges and rules, frees what containers not in `known` hold, fills the pool. `known`: ids of all containers
   * that exist; with the pid of their first process when they run.
   */
  recover(known: ReadonlyMap<string, number | undefined>): Promise<void>;
  /** Stops work; containers keep their networks. */
  close(): Promise<void>;
}

/** Networks that every host has; they cannot be removed. */
export const PREDEFINED: readonly string[] = ["bridge", "host", "none"];
