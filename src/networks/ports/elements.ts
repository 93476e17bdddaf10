import type { NftablesElement, PortProtocol } from "../../kernel/mod.ts";
import { addressBytes, knownSubnet, lastOf, parseAddress } from "../ip.ts";
import type { AddressFamily } from "./addresses.ts";

/** A part of what an element of a set is found by, or of what it says. */
export type Part =
  | { readonly kind: "protocol"; readonly protocol: PortProtocol }
  | { readonly kind: "address"; readonly address: string }
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "interface"; readonly name: string }
  /** All addresses of a network in CIDR form. */
  | { readonly kind: "subnet"; readonly subnet: string };

/** An element of one of the port tables' sets: as nft(8) writes it, and as the kernel is told. */
export interface Element {
  readonly family: AddressFamily;
  readonly set: string;
  readonly key: readonly Part[];
  /** Of a map. */
  readonly value?: readonly Part[];
  readonly comment?: string;
}

export const PROTOCOL_NUMBERS = { tcp: 6, udp: 17, sctp: 132 } as const;
const INTERFACE_NAME_SIZE = 16;

/** For a ruleset that nft reads. */
export function elementText({ key, value, comment }: Element): string {
  const text = (parts: readonly Part[]) => parts.map(partText).join(" . ");
  // The comment stands between key and value; container names need no escapes.
  return [
    text(key),
    ...(comment === undefined ? [] : [`comment "${comment}"`]),
    ...(value ? [`: ${text(value)}`] : []),
  ].join(" ");
}

export function encodeElement(table: string, { family, set, key, value, comment }: Element): NftablesElement {
  return {
    family,
    table,
    set,
    key: Buffer.concat(key.map((part) => partBytes(part, "first"))),
    ...(key.some(({ kind }) => kind === "subnet")
      ? { keyEnd: Buffer.concat(key.map((part) => partBytes(part, "last"))) }
      : {}),
    ...(value ? { value: Buffer.concat(value.map((part) => partBytes(part, "first"))) } : {}),
    ...(comment === undefined ? {} : { comment }),
  };
}

function partText(part: Part): string {
  switch (part.kind) {
    case "protocol":
      // The number: names are looked up in /etc/protocols, which a small host may not have.
      return String(PROTOCOL_NUMBERS[part.protocol]);
    case "address":
      return part.address;
    case "port":
      return String(part.port);
    case "interface":
      return `"${part.name}"`;
    case "subnet":
      return part.subnet;
  }
}

/** Padded to four bytes, as each part fills whole registers. */
function partBytes(part: Part, end: "first" | "last"): Uint8Array {
  switch (part.kind) {
    case "protocol":
      return Uint8Array.of(PROTOCOL_NUMBERS[part.protocol], 0, 0, 0);
    case "address": {
      const parsed = parseAddress(part.address);
      return parsed ? addressBytes(parsed.family, parsed.address) : new Uint8Array(4);
    }
    case "port":
      return Uint8Array.of(part.port >> 8, part.port & 255, 0, 0);
    case "interface": {
      const bytes = Buffer.alloc(INTERFACE_NAME_SIZE);
      bytes.write(part.name);
      return bytes;
    }
    case "subnet": {
      const subnet = knownSubnet(part.subnet);
      return addressBytes(subnet.family, end === "first" ? subnet.base : lastOf(subnet));
    }
  }
}
