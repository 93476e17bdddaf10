import { existsSync } from "node:fs";
import { HavreError } from "../base/mod.ts";
import {
  addAddress,
  addRoute,
  createNetworkNamespace,
  deleteAddress,
  deleteLink,
  findLink,
  inNetworkNamespace,
  listAddresses,
  listLinks,
  NetlinkSocket,
  type NetworkNamespace,
  openNetworkNamespace,
  setLink,
  writeSysctl,
} from "../kernel/mod.ts";
import { addressBytes, lastOf, parseAddress, subnetOf } from "./ip.ts";
import type { InterfaceAddress } from "./network-addresses.ts";

/** A namespace with a loopback interface only, and a netlink socket inside. */
export function makeSandbox(): { readonly namespace: NetworkNamespace; readonly socket: NetlinkSocket } {
  const made = createNetworkNamespace();
  try {
    made.socket.transact([setLink("lo", { up: true })]);
    return made;
  } catch (error) {
    made.socket[Symbol.dispose]();
    made.namespace[Symbol.dispose]();
    throw error;
  }
}

/** A namespace with a loopback interface only. */
export function makeBareSandbox(): NetworkNamespace {
  const { namespace, socket } = makeSandbox();
  socket[Symbol.dispose]();
  return namespace;
}

/** A new namespace of another's making: with its loopback up, and held by this process as long as it is needed. */
export function adoptSandbox(own: NetworkNamespace): NetworkNamespace {
  const namespace = openNetworkNamespace(own.path);
  try {
    using inside = socketIn(namespace);
    inside.transact([setLink("lo", { up: true })]);
    return namespace;
  } catch (error) {
    namespace[Symbol.dispose]();
    throw error;
  }
}

/** A netlink socket inside a namespace. */
export function socketIn(namespace: NetworkNamespace): NetlinkSocket {
  return inNetworkNamespace(namespace, () => new NetlinkSocket());
}

/**
 * Brings an interface of a container up with its addresses. As Docker does, IPv6 is off on a network without; with, the
 * addresses hold at once and no router's announcement changes them: they are ours to give.
 */
export function configureInterface(
  namespace: NetworkNamespace,
  inside: NetlinkSocket,
  name: string,
  addresses: readonly InterfaceAddress[],
): void {
  const ipv6 = addresses.some(({ address }) => address.byteLength === 16);
  // Before the interface comes up and sends anything.
  inNetworkNamespace(namespace, () => {
    if (!ipv6) return writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, "1");
    writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, "0");
    writeSysctl(`net/ipv6/conf/${name}/accept_ra`, "0");
    return writeSysctl(`net/ipv6/conf/${name}/accept_dad`, "0");
  });
  const index = interfaceIndex(inside, name);
  inside.transact([...addresses.map((address) => addAddress(index, address)), setLink(index, { up: true })]);
}

/** Gives an unused interface other addresses and their MAC. */
export function readdress(
  inside: NetlinkSocket,
  name: string,
  mac: Uint8Array,
  addresses: readonly InterfaceAddress[],
): void {
  const index = interfaceIndex(inside, name);
  const former = listAddresses(inside).filter((one) => one.index === index && !isLinkLocal(one.address));
  inside.transact([
    ...former.map((address) => deleteAddress(index, address)),
    setLink(index, { mac }),
    ...addresses.map((address) => addAddress(index, address)),
  ]);
}

/** Further addresses that hold on the interface's own network only (Docker's: IPv4 in /16, IPv6 in /64). */
export function addLinkLocal(inside: NetlinkSocket, name: string, texts: readonly string[]): void {
  if (texts.length === 0) return;
  const index = interfaceIndex(inside, name);
  const addresses = texts
    .flatMap((text) => parseAddress(text) ?? [])
    .map(({ family, address }) => {
      const prefixLength = family === 4 ? 16 : 64;
      const broadcast = family === 4 ? { broadcast: addressBytes(4, lastOf(subnetOf(4, address, prefixLength))) } : {};
      return { address: addressBytes(family, address), prefixLength, ...broadcast };
    });
  inside.transact(addresses.map((address) => addAddress(index, address)));
}

/**
 * A macvlan interface that a killed daemon gave and had not written down: nobody knows its address. It carries our
 * alias, unlike those that the container made itself.
 */
export function removeStrays(namespace: NetworkNamespace, known: ReadonlySet<string>): void {
  using inside = socketIn(namespace);
  const strays = listLinks(inside).filter(
    ({ kind, alias, name }) => kind === "macvlan" && alias?.startsWith("havre ") && !known.has(name),
  );
  inside.transact(strays.map(({ index }) => deleteLink(index)));
}

/** Makes these the default routes, whichever there were. */
export function setDefaultRoutes(inside: NetlinkSocket, gateways: readonly Uint8Array[]): void {
  inside.transact(gateways.map((gateway) => addRoute({ gateway })));
}

/** The first of eth0, eth1, … that is free. */
export function freeInterfaceName(inside: NetlinkSocket, prefix = "eth"): string {
  const names = new Set(listLinks(inside).map(({ name }) => name));
  for (let number = 0; ; number++) if (!names.has(`${prefix}${number}`)) return `${prefix}${number}`;
}

function isLinkLocal(address: Uint8Array): boolean {
  return address.byteLength === 16 && address[0] === 0xfe && ((address[1] ?? 0) & 0xc0) === 0x80;
}

function interfaceIndex(inside: NetlinkSocket, name: string): number {
  const link = findLink(inside, name);
  if (!link) throw new HavreError("internal", `The sandbox has no interface ${name}`);
  return link.index;
}

/** The path of a process's network namespace. `failed-precondition` when it has ended. */
export function namespaceOfProcess(pid: number): string {
  const path = `/proc/${pid}/ns/net`;
  if (existsSync(path)) return path;
  throw new HavreError("failed-precondition", `Process ${pid} whose network is to be shared does not exist`);
}
