import { HavreError } from "../base/mod.ts";

/** An IPv4 address as an unsigned 32-bit number: comparable, countable, a key. */
export type Ipv4 = number;

/** A network in CIDR form; `base` has no host bits. */
export interface Subnet {
  readonly base: Ipv4;
  readonly prefixLength: number;
}

/** Parses dotted-quad notation; undefined for anything else, leading zeros included. */
export function parseIpv4(text: string): Ipv4 | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let address = 0;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    address = address * 256 + Number(part);
  }
  return address;
}

export function formatIpv4(address: Ipv4): string {
  return [...ipv4Bytes(address)].join(".");
}

export function ipv4Bytes(address: Ipv4): Uint8Array {
  return Uint8Array.of(address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255);
}

export function ipv4FromBytes(bytes: Uint8Array): Ipv4 {
  return bytes.reduce((address, byte) => address * 256 + byte, 0);
}

/** Parses `192.168.5.0/24`; `invalid-argument` when it is no network, has host bits set, or no room for two hosts. */
export function parseSubnet(text: string): Subnet {
  const [address = "", prefix = ""] = text.split("/", 2);
  const parsed = parseIpv4(address);
  const prefixLength = /^\d{1,2}$/.test(prefix) ? Number(prefix) : Number.NaN;
  if (parsed === undefined || !(prefixLength >= 8 && prefixLength <= 29)) {
    throw new HavreError("invalid-argument", `Invalid subnet ${JSON.stringify(text)}`, {
      hint: "Give an IPv4 network between /8 and /29, like 172.17.0.0/16",
    });
  }
  const subnet = subnetOf(parsed, prefixLength);
  if (subnet.base !== parsed) {
    throw new HavreError("invalid-argument", `Invalid subnet ${JSON.stringify(text)}: it has host bits set`, {
      hint: `Did you mean ${formatSubnet(subnet)}?`,
    });
  }
  return subnet;
}

export function subnetOf(address: Ipv4, prefixLength: number): Subnet {
  const size = 2 ** (32 - prefixLength);
  return { base: Math.floor(address / size) * size, prefixLength };
}

export function formatSubnet({ base, prefixLength }: Subnet): string {
  return `${formatIpv4(base)}/${prefixLength}`;
}

export function subnetSize({ prefixLength }: Subnet): number {
  return 2 ** (32 - prefixLength);
}

export function contains(subnet: Subnet, address: Ipv4): boolean {
  return address >= subnet.base && address < subnet.base + subnetSize(subnet);
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return contains(one, other.base) || contains(other, one.base);
}

export function broadcastOf(subnet: Subnet): Ipv4 {
  return subnet.base + subnetSize(subnet) - 1;
}

/** The MAC address Docker derives from an address: 02:42 and its four bytes. */
export function macBytes(address: Ipv4): Uint8Array {
  return Uint8Array.of(0x02, 0x42, ...ipv4Bytes(address));
}

export function macOf(address: Ipv4): string {
  return [...macBytes(address)].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Where the default bridge may live, in order: Docker's default pools, 172.17.0.0/16 to 172.31, then 192.168 in /20s. */
export function defaultSubnets(): readonly Subnet[] {
  const large = Array.from({ length: 15 }, (_, index) => parseSubnet(`172.${17 + index}.0.0/16`));
  const small = Array.from({ length: 16 }, (_, index) => parseSubnet(`192.168.${16 * index}.0/20`));
  return [...large, ...small];
}

/** The first candidate that overlaps nothing in `taken`. */
export function firstFreeSubnet(candidates: readonly Subnet[], taken: readonly Subnet[]): Subnet | undefined {
  return candidates.find((candidate) => !taken.some((other) => overlap(candidate, other)));
}
