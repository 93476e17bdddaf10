import type { NftablesElement } from "../../kernel/mod.ts";
import { addressBytes, type Family, formatAddress, formatMac, formatSubnet, lastOf, type Subnet } from "../ip.ts";

const MAX_LEARNED = 65_535;
const MAX_REFUSED = 16_384;

const setsOf = (family: Family) => {
  const address = family === 4 ? "ipv4_addr" : "ipv6_addr";
  const there = `${address} . ${address}`;
  const learned = `flags dynamic,timeout; size ${MAX_LEARNED};`;
  const refused = `flags dynamic,timeout; timeout 24h; size ${MAX_REFUSED}; counter;`;
  return {
    [`limited${family}`]: `type ${address};`,
    /** Own address, own network. */
    [`home${family}`]: `type ${there}; flags interval;`,
    [`reach${family}`]: `type ${there}; flags interval;`,
    [`reach_ports${family}`]: `type ${there} . inet_proto . inet_service; flags interval;`,
    [`names${family}`]: `type ${there}; ${learned}`,
    [`name_ports${family}`]: `type ${there} . inet_proto . inet_service; ${learned}`,
    [`refused${family}`]: `type ${there} . inet_proto . inet_service; ${refused}`,
    [`refused_others${family}`]: `type ${there} . inet_proto; ${refused}`,
  };
};

/** Declarations of the table's sets. Those of ranges hold none that lies in another: the kernel refuses some such. */
export const ALL_SETS: Readonly<Record<string, string>> = {
  ...setsOf(4),
  ...setsOf(6),
  links: "type ifname . ether_addr;",
};

export const PROTOCOLS = { tcp: 6, udp: 17 } as const;
const IFNAME_SIZE = 16;

/** An element of one of the sets: as nft(8) reads it, and as the kernel is told. */
export interface EgressElement {
  readonly set: string;
  readonly text: string;
  readonly key: Uint8Array;
  readonly keyEnd?: Uint8Array;
  /** Milliseconds until it goes by itself. */
  readonly timeout?: number;
}

interface Field {
  readonly text: string;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

export function addressField(family: Family, address: bigint): Field {
  const bytes = addressBytes(family, address);
  return { text: formatAddress(family, address), first: bytes, last: bytes };
}

export function subnetField(subnet: Subnet): Field {
  const { family, base, prefixLength } = subnet;
  if (prefixLength === (family === 4 ? 32 : 128)) return addressField(family, base);
  return { text: formatSubnet(subnet), first: addressBytes(family, base), last: addressBytes(family, lastOf(subnet)) };
}

export function portFields(protocol: "tcp" | "udp", port: number): readonly Field[] {
  const number = Uint8Array.of(PROTOCOLS[protocol], 0, 0, 0);
  const service = Uint8Array.of(port >> 8, port & 255, 0, 0);
  return [
    { text: String(PROTOCOLS[protocol]), first: number, last: number },
    { text: String(port), first: service, last: service },
  ];
}

/** The host's end of a container's bridge, and the MAC address behind it. */
export function linkElement(bridge: string, mac: Uint8Array): EgressElement {
  const name = Buffer.alloc(IFNAME_SIZE);
  name.write(bridge);
  return {
    set: "links",
    text: `"${bridge}" . ${formatMac(mac)}`,
    key: Buffer.concat([name, mac, Buffer.alloc(2)]),
  };
}

/** @param ranges the set is one of ranges: each of its elements has an end. */
export function element(set: string, fields: readonly Field[], ranges = false): EgressElement {
  const key = Buffer.concat(fields.map(({ first }) => first));
  const keyEnd = ranges ? { keyEnd: Buffer.concat(fields.map(({ last }) => last)) } : {};
  return { set, text: fields.map(({ text }) => text).join(" . "), key, ...keyEnd };
}

export function toKernel(table: string, { set, key, keyEnd, timeout }: EgressElement): NftablesElement {
  return {
    family: "inet",
    table,
    set,
    key,
    ...(keyEnd ? { keyEnd } : {}),
    ...(timeout === undefined ? {} : { timeout }),
  };
}
