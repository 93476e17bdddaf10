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
const LOOPBACK: readonly string[] = ["127.0.0.1", "::1"];
const LOOPBACK_REVERSE: ReadonlySet<string> = new Set(LOOPBACK.map(reverseName));

/**
 * The records for a query about a name known here, none when there are none of the type asked for; undefined: the name is
 * not ours. A name is looked for on each network of the asker, in their order, then as `NAME.NETWORK` for every dot in it.
 */
export function answerLocally(
  names: NameTable,
  memberships: readonly Membership[],
  query: Query,
  random: () => number,
): readonly Resource[] | undefined {
  const ours = addressesOf(names, memberships, query.name);
  if (ours) return query.internet ? addressRecords(query.type, shuffled(ours, random)) : [];
  const name = nameBehind(names, memberships, query.name);
  if (name === undefined) return undefined;
  const data = encodeName(name);
  return query.internet && query.type === RecordType.ptr && data ? [{ type: RecordType.ptr, ttl: TTL, data }] : [];
}

function addressesOf(
  names: NameTable,
  memberships: readonly Membership[],
  asked: string,
): readonly string[] | undefined {
  // RFC 6761: nobody else is to say who localhost is.
  if (asked === "localhost" || asked.endsWith(".localhost")) return LOOPBACK;
  for (let dot = asked.length; dot > 0; dot = asked.lastIndexOf(".", dot - 1)) {
    const [name, network] = [asked.slice(0, dot), asked.slice(dot + 1)];
    for (const { networkId, networkName, links } of memberships) {
      if (network !== "" && network !== networkName.toLowerCase()) continue;
      const found = names.addressesOf(networkId, links.get(name) ?? name);
      if (found) return found;
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

function addressRecords(type: number, addresses: readonly string[]): readonly Resource[] {
  if (type !== RecordType.a && type !== RecordType.aaaa) return [];
  return addresses
    .filter((address) => isIPv4(address) === (type === RecordType.a))
    .map((address) => ({ type, ttl: TTL, data: addressBytes(address) }));
}

function addressBytes(address: string): Uint8Array {
  return isIPv4(address) ? Uint8Array.from(address.split("."), Number) : ipv6Bytes(address);
}

/** Which of several is first is what spreads the load among them. */
function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}
