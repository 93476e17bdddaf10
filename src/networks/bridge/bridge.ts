import { HavreError } from "../../base/mod.ts";
import {
  addAddress,
  createBridge,
  deleteAddress,
  findLink,
  type Link,
  listAddresses,
  listLinks,
  type NetlinkSocket,
  setLink,
  writeSysctl,
} from "../../kernel/mod.ts";
import { type Address, addressFromBytes, macBytes, type Subnet, subnetOf } from "../ip.ts";
import type { InterfaceAddress } from "../network-addresses.ts";

export interface BridgeRequest {
  readonly name: string;
  /** The host's own on it, by which containers send what leaves the network. */
  readonly gateways: readonly InterfaceAddress[];
  readonly mtu: number;
  /** Written on the bridge, so that another daemon with the same bridge name is noticed. */
  readonly owner: string;
}

/** Makes the bridge, or brings one that is there to the wanted state; returns its index. */
export function ensureBridge(socket: NetlinkSocket, request: BridgeRequest): number {
  const { name, owner, mtu, gateways } = request;
  const found = findLink(socket, name);
  if (found) refuseForeign(socket, found, owner);
  else {
    const ipv4 = gateways.find(({ address }) => address.byteLength === 4);
    // Always the same: a container remembers its gateway's, also when the bridge is made anew.
    const mac = ipv4 && { mac: macBytes(addressFromBytes(ipv4.address)) };
    // In one go: a bridge without its owner would be nobody's after a kill.
    socket.transact([createBridge(name, { ...mac, mtu }), setLink(name, { alias: owner })]);
  }
  const index = found?.index ?? findLink(socket, name)?.index;
  if (index === undefined) throw new HavreError("unavailable", `Bridge ${name} vanished while it was set up`);
  const ipv6 = gateways.some(({ address }) => address.byteLength === 16);
  // Containers of an IPv4 network have no use for a link-local address of the host, only ways to reach it.
  writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, ipv6 ? "0" : "1");
  if (ipv6) {
    writeSysctl(`net/ipv6/conf/${name}/accept_ra`, "0");
    writeSysctl(`net/ipv6/conf/${name}/accept_dad`, "0");
  }
  const there = listAddresses(socket).filter(({ index: at, address }) => at === index && !linkLocal(address));
  const same = (one: InterfaceAddress, other: InterfaceAddress) =>
    one.prefixLength === other.prefixLength && Buffer.compare(one.address, other.address) === 0;
  socket.transact([
    ...there.filter((one) => !gateways.some((other) => same(one, other))).map((one) => deleteAddress(index, one)),
    ...gateways.filter((one) => !there.some((other) => same(one, other))).map((one) => addAddress(index, one)),
    setLink(index, { alias: owner, up: true }),
  ]);
  return index;
}

function linkLocal(address: Uint8Array): boolean {
  return address.byteLength === 16 && address[0] === 0xfe && address[1] === 0x80;
}

function refuseForeign(socket: NetlinkSocket, link: Link, owner: string): void {
  if (link.kind !== "bridge") {
    throw new HavreError("failed-precondition", `Interface ${link.name} exists and is not a bridge`, {
      hint: "Give another name",
    });
  }
  if (link.alias === undefined || link.alias === "" || link.alias === owner) return;
  // Earlier daemons wrote the network alone.
  if (/^havre [0-9a-f]{64}$/.test(link.alias) && owner.endsWith(link.alias.slice("havre ".length))) return;
  if (bridgePorts(socket, link.index).length === 0) return;
  throw new HavreError("conflict", `Bridge ${link.name} is in use by another daemon`, {
    hint: "Give this one its own with --bridge and --subnet",
  });
}

export function bridgePorts(socket: NetlinkSocket, bridge: number): Link[] {
  return listLinks(socket).filter(({ master }) => master === bridge);
}

/** The network that an existing bridge has already, if any. */
export function subnetOfBridge(
  socket: NetlinkSocket,
  name: string,
): { readonly subnet: Subnet; readonly gateway: Address } | undefined {
  const index = findLink(socket, name)?.index;
  const own = listAddresses(socket).find((one) => one.index === index && one.address.byteLength === 4);
  if (!own) return undefined;
  const gateway = addressFromBytes(own.address);
  return { subnet: subnetOf(4, gateway, own.prefixLength), gateway };
}
