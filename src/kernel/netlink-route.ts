import type { NetlinkSocket } from "./netlink.ts";
import {
  attribute,
  attributeText,
  attributeU32,
  type NetlinkMessage,
  type NetlinkRequest,
  nestedAttribute,
  parseAttributes,
  textAttribute,
  u8Attribute,
  u32Attribute,
} from "./netlink-message.ts";

/**
 * Links, addresses and routes (rtnetlink(7)). The first group of functions describes requests, which a caller sends in
 * one batch with `socket.transact`; the second asks what there is.
 */

const RTM = {
  newLink: 16,
  delLink: 17,
  getLink: 18,
  setLink: 19,
  newAddress: 20,
  delAddress: 21,
  getAddress: 22,
  newRoute: 24,
  delRoute: 25,
  getRoute: 26,
} as const;
const IFLA = {
  address: 1,
  name: 3,
  mtu: 4,
  link: 5,
  master: 10,
  operState: 16,
  linkInfo: 18,
  alias: 20,
  afSpec: 26,
  netNsFd: 28,
} as const;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const IFLA_INFO_SLAVE_KIND = 4;
const IFLA_INFO_SLAVE_DATA = 5;
const IFLA_BRPORT_MODE = 4;
const VETH_INFO_PEER = 1;
const MACVLAN_MODE = 1;
const VLAN_ID = 1;
/** include/uapi/linux/if_link.h, enum macvlan_mode. */
const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const RTA = { destination: 1, outInterface: 4, gateway: 5, table: 15 } as const;
const NLM_F_CREATE = 0x400;
const NLM_F_EXCL = 0x200;
const NLM_F_REPLACE = 0x100;
const IFF_UP = 1;
const IFF_NOARP = 0x80;
const IF_OPER_UP = 6;
const AF_INET = 2;
const AF_INET6 = 10;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RTN_UNICAST = 1;

/** A link by its name, or by its index where that is known. */
export type LinkRef = string | number;

const linkName = (link: LinkRef): string => (typeof link === "number" ? `interface ${link}` : link);
const family = (address: Uint8Array): number => (address.byteLength === 4 ? AF_INET : AF_INET6);

function linkBody(link: LinkRef, flags: number, mask: number, ...attributes: readonly Uint8Array[]): Buffer {
  const fixed = Buffer.alloc(16);
  if (typeof link === "number") fixed.writeInt32LE(link, 4);
  fixed.writeUInt32LE(flags, 8);
  fixed.writeUInt32LE(mask, 12);
  const name = typeof link === "string" ? [textAttribute(IFLA.name, link)] : [];
  return Buffer.concat([fixed, ...name, ...attributes]);
}

export interface LinkSettings {
  readonly up?: boolean;
  readonly mac?: Uint8Array;
  readonly mtu?: number;
  /** Index of the bridge to join. */
  readonly master?: number;
  /** A free text kept with the link. */
  readonly alias?: string;
  /** true: the kernel gives no IPv6 link-local address (and so sends nothing of its own on the link). */
  readonly noLinkLocal?: boolean;
  /** true: addresses on the link are not asked for; what is sent carries the link's own MAC as destination too. */
  readonly noArp?: boolean;
}

export function createBridge(name: string, settings: Pick<LinkSettings, "mac" | "mtu"> = {}): NetlinkRequest {
  const kind = nestedAttribute(IFLA.linkInfo, textAttribute(IFLA_INFO_KIND, "bridge"));
  return {
    type: RTM.newLink,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkBody(name, 0, 0, ...settingAttributes(settings), kind),
    subject: `create bridge ${name}`,
  };
}

export interface VethRequest {
  readonly name: string;
  /** Index of the bridge that the near end joins at once. */
  readonly master?: number;
  readonly mtu: number;
  readonly peer: {
    readonly name: string;
    readonly mac: Uint8Array;
    /** Descriptor of the namespace in which the peer is born. */
    readonly namespace: number;
  };
}

/** A pair of interfaces, the far end directly in another namespace. */
export function createVeth(request: VethRequest): NetlinkRequest {
  const { name, master, mtu, peer } = request;
  const peerBody = linkBody(
    peer.name,
    0,
    0,
    attribute(IFLA.address, peer.mac),
    u32Attribute(IFLA.mtu, mtu),
    u32Attribute(IFLA.netNsFd, peer.namespace),
  );
  const kind = nestedAttribute(
    IFLA.linkInfo,
    textAttribute(IFLA_INFO_KIND, "veth"),
    nestedAttribute(IFLA_INFO_DATA, nestedAttribute(VETH_INFO_PEER, peerBody)),
  );
  const settings = settingAttributes({ mtu, ...(master === undefined ? {} : { master }) });
  return {
    type: RTM.newLink,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkBody(name, 0, 0, ...settings, kind),
    subject: `create veth ${name}`,
  };
}

export type MacvlanMode = keyof typeof MACVLAN_MODES;

export interface MacvlanRequest {
  readonly name: string;
  /** Index of the interface it sends by. */
  readonly parent: number;
  readonly mode: MacvlanMode;
  readonly mac: Uint8Array;
  readonly mtu?: number;
  /** Descriptor of the namespace in which it is born. */
  readonly namespace: number;
}

/** An interface with a MAC address of its own on another one, born in another namespace. */
export function createMacvlan({ name, parent, mode, mac, mtu, namespace }: MacvlanRequest): NetlinkRequest {
  const kind = nestedAttribute(
    IFLA.linkInfo,
    textAttribute(IFLA_INFO_KIND, "macvlan"),
    nestedAttribute(IFLA_INFO_DATA, u32Attribute(MACVLAN_MODE, MACVLAN_MODES[mode])),
  );
  const settings = settingAttributes({ mac, ...(mtu === undefined ? {} : { mtu }) });
  const place = [u32Attribute(IFLA.link, parent), u32Attribute(IFLA.netNsFd, namespace)];
  return {
    type: RTM.newLink,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkBody(name, 0, 0, ...settings, ...place, kind),
    subject: `create macvlan ${name}`,
  };
}

/** The part of a trunk that carries one VLAN (IEEE 802.1Q). */
export function createVlan(name: string, parent: number, id: number): NetlinkRequest {
  const number = attribute(VLAN_ID, Uint8Array.of(id & 255, id >> 8));
  const kind = nestedAttribute(
    IFLA.linkInfo,
    textAttribute(IFLA_INFO_KIND, "vlan"),
    nestedAttribute(IFLA_INFO_DATA, number),
  );
  return {
    type: RTM.newLink,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    body: linkBody(name, 0, 0, u32Attribute(IFLA.link, parent), kind),
    subject: `create VLAN ${name}`,
  };
}

/** Changes a link. The kernel applies `noLinkLocal` after `up`: give it in an earlier request. */
export function setLink(link: LinkRef, settings: LinkSettings): NetlinkRequest {
  const flags = (settings.up ? IFF_UP : 0) | (settings.noArp ? IFF_NOARP : 0);
  const mask = (settings.up === undefined ? 0 : IFF_UP) | (settings.noArp === undefined ? 0 : IFF_NOARP);
  return {
    type: RTM.setLink,
    flags: 0,
    body: linkBody(link, flags, mask, ...settingAttributes(settings)),
    subject: `set ${linkName(link)}`,
  };
}

/** What comes in by this port of a bridge may go out by it again. */
export function allowHairpin(link: LinkRef): NetlinkRequest {
  const mode = nestedAttribute(IFLA_INFO_SLAVE_DATA, u8Attribute(IFLA_BRPORT_MODE, 1));
  const info = nestedAttribute(IFLA.linkInfo, textAttribute(IFLA_INFO_SLAVE_KIND, "bridge"), mode);
  // Only this type of message reaches what a bridge knows of its ports; without a flag it makes nothing.
  return { type: RTM.newLink, flags: 0, body: linkBody(link, 0, 0, info), subject: `hairpin of ${linkName(link)}` };
}

/** Waits in the kernel until the interface is gone everywhere (about 17 ms, other work of the thread stands still). */
export function deleteLink(link: LinkRef): NetlinkRequest {
  return { type: RTM.delLink, flags: 0, body: linkBody(link, 0, 0), subject: `delete ${linkName(link)}` };
}

function settingAttributes(settings: LinkSettings): Buffer[] {
  const list: Buffer[] = [];
  if (settings.mac) list.push(attribute(IFLA.address, settings.mac));
  if (settings.mtu !== undefined) list.push(u32Attribute(IFLA.mtu, settings.mtu));
  if (settings.master !== undefined) list.push(u32Attribute(IFLA.master, settings.master));
  if (settings.alias !== undefined) list.push(textAttribute(IFLA.alias, settings.alias));
  if (settings.noLinkLocal) {
    const mode = u8Attribute(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    list.push(nestedAttribute(IFLA.afSpec, nestedAttribute(AF_INET6, mode)));
  }
  return list;
}

export interface InterfaceAddress {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
  /** IPv4 only. */
  readonly broadcast?: Uint8Array;
}

function addressBody(index: number, { address, prefixLength, broadcast }: InterfaceAddress): Buffer {
  const fixed = Buffer.from([family(address), prefixLength, 0, 0, 0, 0, 0, 0]);
  fixed.writeUInt32LE(index, 4);
  const list = [attribute(IFA_LOCAL, address), attribute(IFA_ADDRESS, address)];
  if (broadcast) list.push(attribute(IFA_BROADCAST, broadcast));
  return Buffer.concat([fixed, ...list]);
}

export function addAddress(index: number, address: InterfaceAddress): NetlinkRequest {
  const flags = NLM_F_CREATE | NLM_F_EXCL;
  return {
    type: RTM.newAddress,
    flags,
    body: addressBody(index, address),
    subject: `add address to interface ${index}`,
  };
}

export function deleteAddress(index: number, address: InterfaceAddress): NetlinkRequest {
  const body = addressBody(index, address);
  return { type: RTM.delAddress, flags: 0, body, subject: `delete address of interface ${index}` };
}

/** A route in the main table; without destination the default route. */
export interface Route {
  readonly destination?: { readonly address: Uint8Array; readonly prefixLength: number };
  readonly gateway: Uint8Array;
  /** Index of the interface it leaves by; undefined: the kernel finds it from the gateway. */
  readonly outInterface?: number;
}

export function addRoute(route: Route): NetlinkRequest {
  const { destination, gateway, outInterface } = route;
  const prefix = destination?.prefixLength ?? 0;
  const fixed = Buffer.from([family(gateway), prefix, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, 0, RTN_UNICAST, 0, 0, 0, 0]);
  const list = [attribute(RTA.gateway, gateway)];
  if (destination) list.push(attribute(RTA.destination, destination.address));
  if (outInterface !== undefined) list.push(u32Attribute(RTA.outInterface, outInterface));
  return {
    type: RTM.newRoute,
    flags: NLM_F_CREATE | NLM_F_REPLACE,
    body: Buffer.concat([fixed, ...list]),
    subject: "add route",
  };
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Driver (`bridge`, `veth`, …); undefined for a device. */
  readonly kind: string | undefined;
  readonly master: number | undefined;
  readonly up: boolean;
  /** Up with a carrier, and packets go through: the kernel gets there some time after both ends were set up. */
  readonly operational: boolean;
  readonly mac: string;
  readonly mtu: number;
  readonly alias: string | undefined;
}

function parseLink({ body }: NetlinkMessage): Link {
  const attributes = parseAttributes(body, 16);
  const info = attributes.get(IFLA.linkInfo);
  return {
    index: body.readInt32LE(4),
    name: attributeText(attributes.get(IFLA.name)) ?? "",
    kind: info && attributeText(parseAttributes(info).get(IFLA_INFO_KIND)),
    master: attributeU32(attributes.get(IFLA.master)),
    up: (body.readUInt32LE(8) & IFF_UP) !== 0,
    operational: attributes.get(IFLA.operState)?.[0] === IF_OPER_UP,
    mac: [...(attributes.get(IFLA.address) ?? [])].map((byte) => byte.toString(16).padStart(2, "0")).join(":"),
    mtu: attributeU32(attributes.get(IFLA.mtu)) ?? 0,
    alias: attributeText(attributes.get(IFLA.alias)),
  };
}

export function listLinks(socket: NetlinkSocket): Link[] {
  return socket
    .dump({ type: RTM.getLink, flags: 0, body: Buffer.alloc(16), subject: "list interfaces" })
    .map(parseLink);
}

/** Asking makes kernels since 6.9 finish a change of carrier that is under way, before they answer. */
export function findLink(socket: NetlinkSocket, link: LinkRef): Link | undefined {
  const body = linkBody(link, 0, 0);
  const found = socket.get({ type: RTM.getLink, flags: 0, body, subject: `look up ${linkName(link)}` });
  return found && parseLink(found);
}

export interface AssignedAddress extends InterfaceAddress {
  readonly index: number;
}

export function listAddresses(socket: NetlinkSocket): AssignedAddress[] {
  const request = { type: RTM.getAddress, flags: 0, body: Buffer.alloc(8), subject: "list addresses" };
  return socket.dump(request).flatMap(({ body }) => {
    const attributes = parseAttributes(body, 8);
    const address = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
    return address ? [{ index: body.readUInt32LE(4), prefixLength: body.readUInt8(1), address }] : [];
  });
}

export interface KnownRoute {
  /** Empty: the default route. */
  readonly destination: Uint8Array;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  readonly table: number;
  readonly gateway: Uint8Array | undefined;
  readonly outInterface: number | undefined;
}

export function listRoutes(socket: NetlinkSocket): KnownRoute[] {
  const request = { type: RTM.getRoute, flags: 0, body: Buffer.alloc(12), subject: "list routes" };
  return socket.dump(request).map(({ body }) => {
    const attributes = parseAttributes(body, 12);
    return {
      destination: attributes.get(RTA.destination) ?? new Uint8Array(),
      prefixLength: body.readUInt8(1),
      family: body.readUInt8(0) === AF_INET ? 4 : 6,
      table: attributeU32(attributes.get(RTA.table)) ?? body.readUInt8(4),
      gateway: attributes.get(RTA.gateway),
      outInterface: attributeU32(attributes.get(RTA.outInterface)),
    };
  });
}
