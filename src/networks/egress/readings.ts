import { parseAddress } from "../ip.ts";
import { addressField, type EgressElement, element, PROTOCOLS, portFields } from "./elements.ts";
import { REFUSED_HOURS } from "./rules.ts";

/** An element as libnftables-json(5) has it, as far as it is read here. */
interface Reading {
  readonly set: string;
  readonly key: readonly (string | number)[];
  /** Seconds. */
  readonly expires: number;
  readonly packets: number;
}

/** A protocol's number, or its name where the host has /etc/protocols. */
const NUMBERS: ReadonlyMap<string, number> = new Map([
  ...Object.entries(PROTOCOLS),
  ["icmp", 1],
  ["ipv6-icmp", 58],
  ["icmpv6", 58],
]);

/** What was learned by a daemon before, with whom it belongs to. */
export function keptElements(
  table: unknown,
): readonly { readonly element: EgressElement; readonly source: string; readonly address: string }[] {
  return readingsOf(table).flatMap(({ set, key: [source, address, protocol, port], expires }) => {
    if (!/^name(s|_ports)[46]$/.test(set)) return [];
    const [own, there] = [parseAddress(String(source)), parseAddress(String(address))];
    if (!own || !there) return [];
    const fields = [addressField(own.family, own.address), addressField(there.family, there.address)];
    const name = protocolNumber(protocol) === PROTOCOLS.udp ? "udp" : "tcp";
    const more = set.startsWith("name_ports") ? portFields(name, Number(port)) : [];
    const kept = { ...element(set, [...fields, ...more]), timeout: expires * 1000 };
    return [{ element: kept, source: String(source), address: String(address) }];
  });
}

/** What was refused to those who sent under `sources`. */
export function refusedConnections(table: unknown, sources: ReadonlySet<string>, now: number) {
  return readingsOf(table).flatMap(({ set, key: [source, address, protocol, port], expires, packets }) =>
    /^refused(_others)?[46]$/.test(set) && sources.has(String(source))
      ? [
          {
            address: String(address),
            protocol: protocolNumber(protocol),
            port: port === undefined ? undefined : Number(port),
            count: packets,
            last: now - (REFUSED_HOURS * 3600 - expires) * 1000,
          },
        ]
      : [],
  );
}

function protocolNumber(protocol: string | number | undefined): number {
  return typeof protocol === "string" ? (NUMBERS.get(protocol) ?? (Number(protocol) || 0)) : (protocol ?? 0);
}

function readingsOf(table: unknown): readonly Reading[] {
  const { nftables = [] } = (table ?? {}) as {
    nftables?: { set?: { name: string; elem?: unknown[] } }[];
  };
  return nftables.flatMap(({ set }) =>
    (set?.elem ?? []).flatMap((item) => {
      const { elem } = item as {
        elem?: { val?: { concat?: (string | number)[] }; expires?: number; counter?: { packets?: number } };
      };
      const key = elem?.val?.concat;
      return set && key
        ? [{ set: set.name, key, expires: elem.expires ?? 0, packets: elem.counter?.packets ?? 0 }]
        : [];
    }),
  );
}
