import { HavreError } from "../base/mod.ts";
import {
  addAddress,
  addRoute,
  createNetworkNamespace,
  createVeth,
  deleteAddress,
  findLink,
  type InterfaceAddress,
  inNetworkNamespace,
  NetlinkSocket,
  type NetworkNamespace,
  setLink,
  writeSysctl,
} from "../kernel/mod.ts";
import { broadcastOf, type Ipv4, ipv4Bytes, macBytes, type Subnet } from "./ipv4.ts";

/** The one interface of a container, by Docker's name. */
const INSIDE = "eth0";

/** What a bridge gives every sandbox. */
export interface Wiring {
  readonly bridgeIndex: number;
  readonly subnet: Subnet;
  readonly gateway: Ipv4;
  readonly mtu: number;
}

/** A namespace joined to the bridge with everything set: a container can start in it as it is. */
export interface WiredSandbox {
  readonly namespace: NetworkNamespace;
  readonly address: Ipv4;
  readonly hostInterface: string;
  /** Packets went through already when it was made. */
  readonly operational: boolean;
}

/** A namespace with a loopback interface only. */
export function makeBareSandbox(): NetworkNamespace {
  const { namespace, socket } = createNetworkNamespace();
  try {
    socket.transact([setLink("lo", { up: true })]);
    return namespace;
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  } finally {
    socket[Symbol.dispose]();
  }
}

/**
 * A namespace with a veth into the bridge, address, MAC and default route; about a millisecond. What fails half-way
 * leaves nothing: the pair goes with the namespace.
 * @param host a netlink socket in the bridge's namespace.
 */
export function makeWiredSandbox(
  host: NetlinkSocket,
  wiring: Wiring,
  address: Ipv4,
  hostInterface: string,
): WiredSandbox {
  const { namespace, socket } = createNetworkNamespace();
  try {
    const peer = { name: INSIDE, mac: macBytes(address), namespace: namespace.fd };
    host.transact([
      createVeth({ name: hostInterface, master: wiring.bridgeIndex, mtu: wiring.mtu, peer }),
      setLink(hostInterface, { noLinkLocal: true }),
      setLink(hostInterface, { up: true }),
    ]);
    // As Docker does on a network without IPv6, before the interface comes up and sends anything.
    inNetworkNamespace(namespace, () => writeSysctl(`net/ipv6/conf/${INSIDE}/disable_ipv6`, "1"));
    const index = insideIndex(socket);
    socket.transact([
      setLink("lo", { up: true }),
      addAddress(index, interfaceAddress(wiring, address)),
      setLink(index, { up: true }),
      addRoute({ gateway: ipv4Bytes(wiring.gateway) }),
    ]);
    const inside = findLink(socket, index)?.operational ?? false;
    return { namespace, address, hostInterface, operational: isOperational(host, wiring, hostInterface) && inside };
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  } finally {
    socket[Symbol.dispose]();
  }
}

/**
 * Whether packets go through, both over the veth and from the bridge itself, which comes up with its first port. Before,
 * they are dropped without a word, and a name server's lost answer costs a program five seconds. Kernels before 6.9 take
 * their time even after asking.
 */
export function isOperational(host: NetlinkSocket, { bridgeIndex }: Wiring, hostInterface: string): boolean {
  return [hostInterface, bridgeIndex].every((link) => findLink(host, link)?.operational);
}

/** Gives an unused sandbox another address. */
export function readdress(sandbox: WiredSandbox, wiring: Wiring, address: Ipv4): WiredSandbox {
  using socket = inNetworkNamespace(sandbox.namespace, () => new NetlinkSocket());
  const index = insideIndex(socket);
  socket.transact([
    deleteAddress(index, interfaceAddress(wiring, sandbox.address)),
    setLink(index, { mac: macBytes(address) }),
    addAddress(index, interfaceAddress(wiring, address)),
    addRoute({ gateway: ipv4Bytes(wiring.gateway) }),
  ]);
  return { ...sandbox, address };
}

/** Gives the container's interface another MAC address: six bytes in hexadecimal, joined by `:` or `-`. */
export function setMac(sandbox: WiredSandbox, mac: string): void {
  using socket = inNetworkNamespace(sandbox.namespace, () => new NetlinkSocket());
  socket.transact([setLink(insideIndex(socket), { mac: Buffer.from(mac.replaceAll(/[:-]/g, ""), "hex") })]);
}

function interfaceAddress({ subnet }: Wiring, address: Ipv4): InterfaceAddress {
  const broadcast = ipv4Bytes(broadcastOf(subnet));
  return { address: ipv4Bytes(address), prefixLength: subnet.prefixLength, broadcast };
}

function insideIndex(socket: NetlinkSocket): number {
  const link = findLink(socket, INSIDE);
  if (!link) throw new HavreError("internal", `The sandbox has no interface ${INSIDE}`);
  return link.index;
}
