import { isIPv4 } from "node:net";
import { encodeName, type Query, RecordType, type Resource } from "./message.ts";
import type { NameTable } from "./names.ts";
import { ipv6Bytes, reverseName } from "./reverse.ts";

/** A network that the asking container is on. */
export interface Membership {
  readonly networkId: string;
  readonly networkName: string;
  /** Other names for others' names, known to this container only; in lower case. */
  readonly links: ReadonlyMap<string, string>;
}

/** Seconds; Docker's. */
const TTL = 600;
const LOOPBACK = { 4: "127.0.0.1", 6: "::1" } as const;
const LOOPBACK_REVERSE: ReadonlySet<string> = new Set(Object.values(LOOPBACK).map(reverseName));

/**
 * The records for a query about a name known here, none when there are none of the type asked for; undefined: the name is
 * not ours. A name is looked for on each network of the asker, in their order, then as `NAME.NETWORK` for every dot in it.
 */
export function answerLocally(
  names: NameTable,
  memberships: readonly Membership[],
  query: Query,
): readonly Resource[] | undefined {
  const ours = addressesOf(names, memberships, query.name);
  if (ours) return query.internet ? addressRecords(query.type, ours) : [];
  const name = nameBehind(names, memberships, query.name);
  if (name === undefined) return undefined;
  const data = encodeName(name);
  return query.internet && query.type === RecordType.ptr && data ? [{ type: RecordType.ptr, ttl: TTL, data }] : [];
}

type AddressesOfFamily = (family: 4 | 6) => readonly string[];

/** undefined: not known here. */
function addressesOf(
  names: NameTable,
  memberships: readonly Membership[],
  asked: string,
): AddressesOfFamily | undefined {
  // RFC 6761: nobody else is to say who localhost is.
  if (asked === "localhost" || asked.endsWith(".localhost")) return (family) => [LOOPBACK[family]];
  for (let dot = asked.length; dot > 0; dot = asked.lastIndexOf(".", dot - 1)) {
    const [name, network] = [asked.slice(0, dot), asked.slice(dot + 1)];
    for (const { networkId, networkName, links } of memberships) {
      if (network !== "" && network !== networkName.toLowerCase()) continue;
      const known = links.get(name) ?? name;
      if (names.knows(networkId, known)) return (family) => names.addressesInTurn(networkId, known, family);
    }
  }
  return undefined;
}

function nameBehind(names: NameTable, memberships: readonly Membership[], asked: string): string | undefined {
  if (!asked.endsWith(".arpa")) return undefined;
  if (LOOPBACK_REVERSE.has(asked)) return "localhost";
  for (const { networkId, networkName } of memberships) {
    const name = names.nameBehind(networkId, asked);
    if (name !== undefined) return `${name}.${networkName}`;
  }
  return undefined;
}

function addressRecords(type: number, addresses: AddressesOfFamily): readonly Resource[] {
  if (type !== RecordType.a && type !== RecordType.aaaa) return [];
  return addresses(type === RecordType.a ? 4 : 6).map((address) => ({ type, ttl: TTL, data: addressBytes(address) }));
}

function addressBytes(address: string): Uint8Array {
  return isIPv4(address) ? Uint8Array.from(address.split("."), Number) : ipv6Bytes(address);
}
