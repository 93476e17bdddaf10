import { HavreError } from "../base/mod.ts";
import {
  addAddress,
  createBridge,
  deleteAddress,
  findLink,
  type Link,
  listAddresses,
  listLinks,
  listRoutes,
  type NetlinkSocket,
  setLink,
  writeSysctl,
} from "../kernel/mod.ts";
import {
  broadcastOf,
  defaultSubnets,
  firstFreeSubnet,
  type Ipv4,
  ipv4Bytes,
  ipv4FromBytes,
  macBytes,
  parseIpv4,
  type Subnet,
  subnetOf,
} from "./ipv4.ts";

const MAIN_TABLE = 254;

export interface BridgeRequest {
  readonly name: string;
  readonly subnet: Subnet;
  readonly gateway: Ipv4;
  readonly mtu: number;
  /** Written on the bridge, so that another daemon with the same bridge name is noticed. */
  readonly owner: string;
}

/** A bridge's name goes into rules and paths: letters, digits, dot, dash, underscore, at most 15 (Linux's limit). */
export function checkBridgeName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/.test(name)) return name;
  throw new HavreError("invalid-argument", `Invalid bridge name ${JSON.stringify(name)}`, {
    hint: "Use at most 15 letters, digits, dots, dashes and underscores",
  });
}

/** Makes the bridge, or brings one that is there to the wanted state; returns its index. */
export function ensureBridge(socket: NetlinkSocket, request: BridgeRequest): number {
  const { name, owner, mtu } = request;
  const found = findLink(socket, name);
  if (found) refuseForeign(socket, found, owner);
  else {
    // Always the same: a container remembers its gateway's, also when the bridge is made anew.
    socket.transact([createBridge(name, { mac: macBytes(request.gateway), mtu })]);
  }
  const index = found?.index ?? findLink(socket, name)?.index;
  if (index === undefined) throw new HavreError("unavailable", `Bridge ${name} vanished while it was set up`);
  // Containers of an IPv4 network have no use for a link-local address of the host, only ways to reach it.
  writeSysctl(`net/ipv6/conf/${name}/disable_ipv6`, "1");
  const stale = listAddresses(socket).filter(({ index: at, address }) => at === index && address.byteLength === 4);
  const wanted = stale.findIndex(
    ({ address, prefixLength }) =>
      ipv4FromBytes(address) === request.gateway && prefixLength === request.subnet.prefixLength,
  );
  if (wanted >= 0) stale.splice(wanted, 1);
  const gateway = {
    address: ipv4Bytes(request.gateway),
    prefixLength: request.subnet.prefixLength,
    broadcast: ipv4Bytes(broadcastOf(request.subnet)),
  };
  socket.transact([
    ...stale.map((address) => deleteAddress(index, address)),
    ...(wanted >= 0 ? [] : [addAddress(index, gateway)]),
    setLink(index, { alias: owner, up: true }),
  ]);
  return index;
}

function refuseForeign(socket: NetlinkSocket, link: Link, owner: string): void {
  if (link.kind !== "bridge") {
    throw new HavreError("failed-precondition", `Interface ${link.name} exists and is not a bridge`, {
      hint: "Give another name with --bridge",
    });
  }
  if (link.alias === undefined || link.alias === "" || link.alias === owner) return;
  if (bridgePorts(socket, link.index).length === 0) return;
  throw new HavreError("conflict", `Bridge ${link.name} is in use by another daemon`, {
    hint: "Give this one its own with --bridge and --subnet",
  });
}

export function bridgePorts(socket: NetlinkSocket, bridge: number): Link[] {
  return listLinks(socket).filter(({ master }) => master === bridge);
}

/** The network that an existing bridge has already, if any. */
export function subnetOfBridge(socket: NetlinkSocket, name: string): { subnet: Subnet; gateway: Ipv4 } | undefined {
  const index = findLink(socket, name)?.index;
  const own = listAddresses(socket).find((one) => one.index === index && one.address.byteLength === 4);
  if (!own) return undefined;
  const gateway = ipv4FromBytes(own.address);
  return { subnet: subnetOf(gateway, own.prefixLength), gateway };
}

/**
 * A subnet of Docker's default pools that the host does not use: no address, no route, no name server in it.
 * `resource-exhausted` when all are in use.
 */
export function chooseSubnet(socket: NetlinkSocket, nameservers: readonly string[]): Subnet {
  const addresses = listAddresses(socket)
    .filter(({ address }) => address.byteLength === 4)
    .map(({ address, prefixLength }) => subnetOf(ipv4FromBytes(address), prefixLength));
  const routes = listRoutes(socket)
    .filter(({ family, table, prefixLength }) => family === 4 && table === MAIN_TABLE && prefixLength > 0)
    .map(({ destination, prefixLength }) => subnetOf(ipv4FromBytes(destination), prefixLength));
  const servers = nameservers.map(parseIpv4).filter((server) => server !== undefined);
  const free = firstFreeSubnet(defaultSubnets(), [...addresses, ...routes, ...servers.map((one) => subnetOf(one, 32))]);
  if (free) return free;
  throw new HavreError("resource-exhausted", "All of the default subnets are in use on this host", {
    hint: "Give one with --subnet",
  });
}

/** The host must route for its containers. False when this could not be set. */
export function enableForwarding(): boolean {
  try {
    return writeSysctl("net/ipv4/ip_forward", "1");
  } catch {
    return false;
  }
}
