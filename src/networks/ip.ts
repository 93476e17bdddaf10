import { isIPv6 } from "node:net";
import { HavreError } from "../base/mod.ts";

/** An address as a number: comparable, countable, a key. Of which family it is its subnet says. */
export type Address = bigint;
export type Family = 4 | 6;

/** A network in CIDR form; `base` has no host bits. */
export interface Subnet {
  readonly family: Family;
  readonly base: Address;
  readonly prefixLength: number;
}

const bits = (family: Family): number => (family === 4 ? 32 : 128);

/** Parses dotted-quad notation; undefined for anything else, leading zeros included. */
export function parseIpv4(text: string): Address | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (!match) return undefined;
  let address = 0n;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith("0"))) return undefined;
    address = address * 256n + BigInt(part);
  }
  return address;
}

/** Parses RFC 4291 notation, without a zone. */
export function parseIpv6(text: string): Address | undefined {
  if (!isIPv6(text) || text.includes("%")) return undefined;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const embedded = dotted && parseIpv4(dotted[2] ?? "");
  const hex = (value: bigint) => value.toString(16);
  const plain =
    embedded === undefined || embedded === null
      ? text
      : `${dotted?.[1]}${hex(embedded >> 16n)}:${hex(embedded & 0xffffn)}`;
  const [head = "", tail] = plain.split("::");
  const groups = (part: string | undefined) => (part ? part.split(":") : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].reduce((address, group) => address * 65536n + BigInt(`0x${group}`), 0n);
}

/** Either notation; undefined when it is neither. */
export function parseAddress(text: string): { readonly family: Family; readonly address: Address } | undefined {
  const four = parseIpv4(text);
  if (four !== undefined) return { family: 4, address: four };
  const six = parseIpv6(text);
  return six === undefined ? undefined : { family: 6, address: six };
}

export function addressBytes(family: Family, address: Address): Uint8Array {
  const bytes = Buffer.alloc(bits(family) / 8);
  let rest = address;
  for (let at = bytes.byteLength - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

export function addressFromBytes(bytes: Uint8Array): Address {
  return bytes.reduce((address, byte) => address * 256n + BigInt(byte), 0n);
}

/** As RFC 5952 wants IPv6 written, dotted quads for IPv4. */
export function formatAddress(family: Family, address: Address): string {
  const bytes = addressBytes(family, address);
  if (family === 4) return [...bytes].join(".");
  const groups = Array.from({ length: 8 }, (_, at) =>
    ((bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  const text = groups.join(":");
  const runs = [...text.matchAll(/(?<![0-9a-f])0(?::0)+(?![0-9a-f])/g)].map(([run]) => run);
  const longest = runs.reduce((one, other) => (other.length > one.length ? other : one), "");
  if (longest === "") return text;
  const at = text.search(new RegExp(`(?<![0-9a-f])${longest}(?![0-9a-f])`));
  const [before, after] = [text.slice(0, at).replace(/:$/, ""), text.slice(at + longest.length).replace(/^:/, "")];
  return `${before}::${after}`;
}

export function subnetOf(family: Family, address: Address, prefixLength: number): Subnet {
  const hostBits = BigInt(bits(family) - prefixLength);
  return { family, base: (address >> hostBits) << hostBits, prefixLength };
}

/** Parses `ADDRESS/PREFIX` of either family; undefined when it is none. Host bits may be set. */
export function parseCidr(text: string): { readonly subnet: Subnet; readonly address: Address } | undefined {
  const [, address = "", prefix = ""] = /^([^/]*)\/(\d{1,3})$/.exec(text) ?? [];
  const parsed = parseAddress(address);
  if (!parsed || prefix === "" || Number(prefix) > bits(parsed.family)) return undefined;
  return { subnet: subnetOf(parsed.family, parsed.address, Number(prefix)), address: parsed.address };
}

/** Parses what this program has written itself. */
export function knownSubnet(text: string): Subnet {
  const parsed = parseCidr(text);
  if (!parsed) throw new HavreError("internal", `${JSON.stringify(text)} is no subnet`);
  return parsed.subnet;
}

/** Parses the default bridge's `192.168.5.0/24`; `invalid-argument` when it is no network, has host bits set, or no room for two hosts. */
export function parseSubnet(text: string): Subnet {
  const parsed = parseCidr(text);
  if (parsed?.subnet.family !== 4 || !(parsed.subnet.prefixLength >= 8 && parsed.subnet.prefixLength <= 29)) {
    throw new HavreError("invalid-argument", `Invalid subnet ${JSON.stringify(text)}`, {
      hint: "Give an IPv4 network between /8 and /29, like 172.17.0.0/16",
    });
  }
  if (parsed.subnet.base !== parsed.address) {
    throw new HavreError("invalid-argument", `Invalid subnet ${JSON.stringify(text)}: it has host bits set`, {
      hint: `Did you mean ${formatSubnet(parsed.subnet)}?`,
    });
  }
  return parsed.subnet;
}

export function formatSubnet({ family, base, prefixLength }: Subnet): string {
  return `${formatAddress(family, base)}/${prefixLength}`;
}

export function subnetSize({ family, prefixLength }: Subnet): bigint {
  return 1n << BigInt(bits(family) - prefixLength);
}

export function lastOf(subnet: Subnet): Address {
  return subnet.base + subnetSize(subnet) - 1n;
}

export function contains(subnet: Subnet, address: Address): boolean {
  return address >= subnet.base && address <= lastOf(subnet);
}

export function overlap(one: Subnet, other: Subnet): boolean {
  return one.family === other.family && (contains(one, other.base) || contains(other, one.base));
}

/** The MAC address Docker derives from an IPv4 address: 02:42 and its four bytes. */
export function macBytes(address: Address): Uint8Array {
  return Uint8Array.of(0x02, 0x42, ...addressBytes(4, address));
}

export function formatMac(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Six bytes in hexadecimal, joined by `:` or `-`. */
export function parseMac(text: string): Uint8Array {
  return Buffer.from(text.replaceAll(/[:-]/g, ""), "hex");
}
