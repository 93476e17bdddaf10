import { HavreError } from "../base/mod.ts";
import type { NetlinkSocket } from "../kernel/mod.ts";
import { type Family, formatSubnet, knownSubnet, overlap, type Subnet, subnetOf } from "./ip.ts";
import type { IpamPool, NetworkSpec, StoredNetwork } from "./model.ts";
import { completePool } from "./network-request.ts";
import { type DefaultPool, firstFreeSubnet, hostSubnets, noneLeft, subnetsInUse } from "./subnets.ts";

export interface PoolSurroundings {
  /** Networks there are. */
  readonly others: readonly StoredNetwork[];
  readonly defaults: readonly DefaultPool[];
  /** A netlink socket in the host's namespace. */
  readonly socket: NetlinkSocket;
  /** The host's. */
  readonly nameservers: readonly string[];
}

/**
 * The pools of a new network: the asked ones completed, and chosen ones for a family that asked for none.
 * `permission-denied` when an asked one overlaps another network's (Docker's kind and text), `resource-exhausted` when
 * none is free.
 */
export function choosePools(spec: NetworkSpec, networkId: string, around: PoolSurroundings): readonly IpamPool[] {
  const asked = spec.ipam.pools.filter(({ subnet }) => subnet !== "");
  const inUse = around.others.flatMap(({ name, pools }) =>
    pools.map(({ subnet }) => ({ name, subnet: knownSubnet(subnet) })),
  );
  const families: readonly Family[] = spec.ipv6 ? [4, 6] : [4];
  return families.flatMap((family) => {
    const own = asked.filter(({ subnet }) => knownSubnet(subnet).family === family);
    for (const pool of own) {
      refuseOverlap(knownSubnet(pool.subnet), inUse);
      if (spec.driver === "bridge") refuseHostAddresses(knownSubnet(pool.subnet), around.socket);
    }
    if (own.length > 1 && spec.driver === "bridge")
      throw new HavreError("permission-denied", "bridge driver doesn't support multiple subnets");
    if (own.length > 0) return own.map(completePool);
    const taken = [...inUse.map(({ subnet }) => subnet), ...subnetsInUse(around.socket, around.nameservers)];
    const subnet = firstFreeSubnet(around.defaults, family, taken) ?? (family === 6 ? ulaOf(networkId) : undefined);
    if (!subnet) throw noneLeft(family);
    return [completePool({ subnet: formatSubnet(subnet) })];
  });
}

function refuseOverlap(wanted: Subnet, inUse: readonly { readonly name: string; readonly subnet: Subnet }[]): void {
  const other = inUse.find(({ subnet }) => overlap(subnet, wanted));
  if (!other) return;
  throw new HavreError("permission-denied", "Pool overlaps with other one on this address space", {
    hint: `${formatSubnet(wanted)} overlaps ${formatSubnet(other.subnet)} of network ${other.name}`,
  });
}

/** A bridge with the host's own addresses in its subnet would cut the host off from what is there. */
function refuseHostAddresses(wanted: Subnet, socket: NetlinkSocket): void {
  const other = hostSubnets(socket).find((subnet) => overlap(subnet, wanted));
  if (!other) return;
  throw new HavreError("permission-denied", "Pool overlaps with other one on this address space", {
    hint: `${formatSubnet(wanted)} overlaps ${formatSubnet(other)}, where this host has an address`,
  });
}

/** A unique local subnet (RFC 4193): 56 bits of chance after `fd`, as good as any register. */
function ulaOf(networkId: string): Subnet {
  return subnetOf(6, BigInt(`0xfd${networkId.slice(0, 14)}0000000000000000`), 64);
}
