import { randomBytes } from "node:crypto";
import {
  createVeth,
  deleteLink,
  findLink,
  interfaceExists,
  listLinks,
  type NetlinkSocket,
  type NetworkNamespace,
  setLink,
} from "../../kernel/mod.ts";
import type { Driver, Plugged, Segment, WantedInterface } from "../driver.ts";
import { addressBytes, knownSubnet, lastOf, parseAddress } from "../ip.ts";
import type { NetworkSpec, StoredNetwork } from "../model.ts";
import type { InterfaceAddress } from "../network-addresses.ts";
import { configureInterface } from "../sandboxes.ts";
import { bridgePorts, ensureBridge } from "./bridge.ts";
import { type BridgeOptions, bridgeOptions } from "./options.ts";

/** Networks that are a Linux bridge on this host; a container has one end of a veth pair whose other end is on it. */
export class BridgeDriver implements Driver {
  readonly pooled = true;
  readonly #socket: NetlinkSocket;
  readonly #owner: () => string;

  /**
   * @param socket a netlink socket in the host's namespace.
   * @param owner what tells this daemon's bridges from others'.
   */
  constructor(socket: NetlinkSocket, owner: () => string) {
    this.#socket = socket;
    this.#owner = owner;
  }

  check(spec: NetworkSpec): void {
    bridgeOptions({ id: "", spec });
  }

  open(network: StoredNetwork, interfaces: ReadonlySet<string>): Segment {
    const options = bridgeOptions(network);
    const index = ensureBridge(this.#socket, {
      name: options.name,
      gateways: gatewaysOf(network),
      mtu: options.mtu,
      owner: bridgeAlias(this.#owner(), network.id),
    });
    this.#rejoin(index, interfaces);
    return new BridgeSegment(this.#socket, index, options);
  }

  /** Deletes bridges of this daemon whose network is not `known`: a killed daemon was making or removing it. */
  removeStrays(known: ReadonlySet<string>): void {
    const prefix = bridgeAlias(this.#owner(), "");
    const own = listLinks(this.#socket).filter(({ kind, alias }) => kind === "bridge" && alias?.startsWith(prefix));
    const strays = own.filter(({ alias }) => !known.has(alias?.slice(prefix.length) ?? ""));
    this.#socket.transact(strays.map(({ index }) => deleteLink(index)));
  }

  /** Containers whose bridge was deleted under them come onto the new one. */
  #rejoin(master: number, interfaces: ReadonlySet<string>): void {
    const astray = listLinks(this.#socket).filter((link) => interfaces.has(link.name) && link.master !== master);
    this.#socket.transact(astray.map(({ index }) => setLink(index, { master, up: true })));
  }
}

class BridgeSegment implements Segment {
  readonly #socket: NetlinkSocket;
  readonly #index: number;
  readonly #options: BridgeOptions;

  constructor(socket: NetlinkSocket, index: number, options: BridgeOptions) {
    this.#socket = socket;
    this.#index = index;
    this.#options = options;
  }

  /** About a millisecond. What fails half-way leaves nothing: the pair goes with the namespace, or is deleted. */
  plug(namespace: NetworkNamespace, inside: NetlinkSocket, { name, mac, addresses }: WantedInterface): Plugged {
    const hostInterface = `veth${randomBytes(4).toString("hex").slice(0, 7)}`;
    const { mtu } = this.#options;
    const peer = { name, mac, namespace: namespace.fd };
    try {
      this.#socket.transact([
        createVeth({ name: hostInterface, master: this.#index, mtu, peer }),
        setLink(hostInterface, { noLinkLocal: true }),
        setLink(hostInterface, { up: true }),
      ]);
      configureInterface(namespace, inside, name, addresses);
      return { hostInterface };
    } catch (error) {
      if (interfaceExists(hostInterface)) this.#socket.transact([deleteLink(hostInterface)]);
      throw error;
    }
  }

  /** Both over the veth and from the bridge itself, which comes up with its first port. Kernels before 6.9 take their time even after asking. */
  operational({ hostInterface }: Plugged, inside: NetlinkSocket, interfaceName: string): boolean {
    const host = [hostInterface, this.#index].every((link) => findLink(this.#socket, link)?.operational);
    return host && (findLink(inside, interfaceName)?.operational ?? false);
  }

  present(): boolean {
    return interfaceExists(this.#options.name);
  }

  strays(mine: ReadonlySet<string>): readonly { readonly name: string; readonly index: number }[] {
    return bridgePorts(this.#socket, this.#index).filter(({ name, kind }) => kind === "veth" && !mine.has(name));
  }

  remove(): void {
    if (this.present()) this.#socket.transact([deleteLink(this.#options.name)]);
  }
}

function bridgeAlias(owner: string, networkId: string): string {
  return `havre ${owner.slice(0, 12)} ${networkId}`;
}

/** The host's own addresses on the bridge. */
function gatewaysOf({ pools }: StoredNetwork): readonly InterfaceAddress[] {
  return pools.flatMap(({ subnet: text, gateway: given }) => {
    const gateway = parseAddress(given ?? "");
    if (!gateway) return [];
    const subnet = knownSubnet(text);
    const broadcast = subnet.family === 4 ? { broadcast: addressBytes(4, lastOf(subnet)) } : {};
    const address = addressBytes(subnet.family, gateway.address);
    return [{ address, prefixLength: subnet.prefixLength, ...broadcast }];
  });
}
