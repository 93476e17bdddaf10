import { HavreError } from "../base/mod.ts";
import { listAddresses, listRoutes, type NetlinkSocket } from "../kernel/mod.ts";
import {
  addressFromBytes,
  type Family,
  knownSubnet,
  overlap,
  parseAddress,
  parseCidr,
  type Subnet,
  subnetOf,
  subnetSize,
} from "./ip.ts";

const MAIN_TABLE = 254;

/** A range of addresses cut into subnets of one size, for networks that ask for none. */
export interface DefaultPool {
  readonly base: Subnet;
  /** Prefix length of the subnets. */
  readonly size: number;
}

/** Docker's default pools: 172.17.0.0/16 to 172.31, then 192.168 in /20s. */
export const DEFAULT_POOLS: readonly DefaultPool[] = [
  { base: knownSubnet("172.17.0.0/16"), size: 16 },
  { base: knownSubnet("172.18.0.0/16"), size: 16 },
  { base: knownSubnet("172.19.0.0/16"), size: 16 },
  { base: knownSubnet("172.20.0.0/14"), size: 16 },
  { base: knownSubnet("172.24.0.0/14"), size: 16 },
  { base: knownSubnet("172.28.0.0/14"), size: 16 },
  { base: knownSubnet("192.168.0.0/16"), size: 20 },
];

/** Parses `base=10.10.0.0/16,size=24` (dockerd's `--default-address-pool`). */
export function parseDefaultPool(text: string): DefaultPool {
  const fields = new Map(text.split(",").map((field) => field.split("=", 2) as [string, string]));
  const base = parseCidr(fields.get("base") ?? "");
  const size = Number(fields.get("size"));
  const most = base?.subnet.family === 4 ? 29 : 126;
  if (!base || fields.size !== 2 || !(size >= base.subnet.prefixLength && size <= most)) {
    throw new HavreError("invalid-argument", `Invalid default address pool ${JSON.stringify(text)}`, {
      hint: "Write it as base=10.10.0.0/16,size=24",
    });
  }
  return { base: base.subnet, size };
}

function* subnetsOf({ base, size }: DefaultPool): Generator<Subnet> {
  const step = subnetSize({ ...base, prefixLength: size });
  const end = base.base + subnetSize(base);
  for (let at = base.base; at < end; at += step) yield { family: base.family, base: at, prefixLength: size };
}

/** The first subnet of the pools that overlaps nothing in `taken`. */
export function firstFreeSubnet(
  pools: readonly DefaultPool[],
  family: Family,
  taken: readonly Subnet[],
): Subnet | undefined {
  for (const pool of pools) {
    if (pool.base.family !== family) continue;
    const near = taken.filter((one) => overlap(one, pool.base));
    for (const subnet of subnetsOf(pool)) if (!near.some((one) => overlap(one, subnet))) return subnet;
  }
  return undefined;
}

/** What the host uses: its addresses, its routes, its name servers. A network there would hide them from it. */
export function subnetsInUse(socket: NetlinkSocket, nameservers: readonly string[]): readonly Subnet[] {
  const routes = listRoutes(socket)
    .filter(({ table, prefixLength }) => table === MAIN_TABLE && prefixLength > 0)
    .map(({ family, destination, prefixLength }) => subnetOf(family, addressFromBytes(destination), prefixLength));
  const servers = nameservers.map(parseAddress).filter((server) => server !== undefined);
  const single = servers.map(({ family, address }) => subnetOf(family, address, family === 4 ? 32 : 128));
  return [...hostSubnets(socket), ...routes, ...single];
}

/** Where the host has addresses of its own. */
export function hostSubnets(socket: NetlinkSocket): readonly Subnet[] {
  return listAddresses(socket).map(({ address, prefixLength }) =>
    subnetOf(address.byteLength === 4 ? 4 : 6, addressFromBytes(address), prefixLength),
  );
}

/** `resource-exhausted` with Docker's text. */
export function noneLeft(family: Family): HavreError {
  const text = `could not find an available, non-overlapping IPv${family} address pool among the defaults to assign to the network`;
  return new HavreError("resource-exhausted", text, {
    hint: family === 4 ? "Remove networks, or give one with --subnet" : "Give one with --subnet",
  });
}
