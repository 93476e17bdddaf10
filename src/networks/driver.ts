import type { NetlinkSocket, NetworkNamespace } from "../kernel/mod.ts";
import type { NetworkSpec, StoredNetwork } from "./model.ts";
import type { InterfaceAddress } from "./network-addresses.ts";

/** An interface as it is to be inside a container. */
export interface WantedInterface {
  readonly name: string;
  readonly mac: Uint8Array;
  readonly addresses: readonly InterfaceAddress[];
}

export interface Plugged {
  /** The host's end of a veth pair; empty where there is none. */
  readonly hostInterface: string;
}

/** A network as it is on this host: what interfaces are plugged into. */
export interface Segment {
  /** Puts an interface into a namespace, up and with its addresses. Nothing is left of it when it throws. */
  plug(namespace: NetworkNamespace, inside: NetlinkSocket, wanted: WantedInterface): Plugged;
  /** Whether packets go through already; before, they are dropped without a word. */
  operational(plugged: Plugged, inside: NetlinkSocket, interfaceName: string): boolean;
  /** False: someone took it off the host, and it is to be opened again. */
  present(): boolean;
  /** Interfaces on it that `mine` does not name, left by a killed daemon. */
  strays(mine: ReadonlySet<string>): readonly { readonly name: string; readonly index: number }[];
  /** Takes it off the host; what is plugged in is cut off. */
  remove(): void;
}

/**
 * A kind of network. One for each way to carry packets: bridge, macvlan; an overlay between hosts will be another.
 * `host` and `none` need none: nothing is carried.
 */
export interface Driver {
  /** Checks and completes options. `invalid-argument` with Docker's texts. */
  check(spec: NetworkSpec): void;
  /** Sandboxes are made ahead of need for its networks. */
  readonly pooled: boolean;
  /** Makes the network on this host, or finds it. Repeatable. `interfaces`: host ends that are to be on it. */
  open(network: StoredNetwork, interfaces: ReadonlySet<string>): Segment;
}
