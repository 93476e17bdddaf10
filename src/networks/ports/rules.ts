import { type AddressFamily, familyOf, isAny, isLoopback } from "./addresses.ts";
import { type Element, elementText } from "./elements.ts";
import type { PortTarget, PublishedPort } from "./model.ts";

/** A bridge of ours, as the rules for ports need to know it. */
export interface PortBridge {
  readonly name: string;
  /** Its containers reach nobody else, so no published port either. */
  readonly internal: boolean;
  /** CIDR. */
  readonly subnets: readonly string[];
}

/** The pair of interfaces through which packets come in a second time. */
export interface Turnaround {
  /** Copies are sent into this one … */
  readonly out: string;
  /** … and come in again from this one. */
  readonly back: string;
}

const TABLE_PREFIX = "havre-ports-";

export function portTableName(owner: string): string {
  return TABLE_PREFIX + owner;
}

/** A table for ports, of any daemon: what it lets in it has let the host's firewall judge. */
export function isPortTable(name: string): boolean {
  return name.startsWith(TABLE_PREFIX);
}

/** Next hops of the copies: nobody has these addresses, the far end takes every packet. */
const NEXT_HOP = { ip: "192.0.0.11", ip6: "fe80::1" } as const;
/** After all chains that judge what comes in, and before the kernel confirms the connection. */
const LAST = 2_147_483_000;
/** Rules of one family only, met by every packet: the cheap condition first. IPv4: a container must not reach the host's loopback, nor a copy stay unfragmentable. */
const EARLY = {
  ip: (back: string) => `    ip daddr 127.0.0.0/8 iifname @bridges drop
    meta l4proto 17 iifname "${back}" ip frag-off set 0
`,
  ip6: () => "",
};
const FROM_HERE = { ip: "", ip6: "    ip6 daddr ::1 return\n" };
const ANSWERS = { ip: "    ct status dnat ip saddr 127.0.0.0/8 masquerade\n", ip6: "" };

/**
 * The table of one family, replacing what it was in the same transaction.
 *
 * For whoever comes from outside, a published port is a service of this host: the first packet goes the way to a local
 * process, through all chains of the host's firewall that judge input. What they let pass is copied into a pair of
 * interfaces (`dup`) and dropped; the copy comes in from the pair's other end and is translated there. From then on the
 * connection is known, and its packets are forwarded at once. docs/networks.md has the picture.
 */
export function portTable(
  owner: string,
  family: AddressFamily,
  { out, back }: Turnaround,
  elements: readonly Element[],
): string {
  const table = portTableName(owner);
  const address = family === "ip" ? "ipv4_addr" : "ipv6_addr";
  const exact = `meta l4proto . ${family} daddr . th dport`;
  const any = "meta l4proto . th dport";
  const sets: readonly (readonly [string, string])[] = [
    ["set bridges", "type ifname;"],
    ["set subnets", `type ifname . ${address}; flags interval;`],
    ["map addressed", `type inet_proto . ${address} . inet_service : ${address} . inet_service;`],
    ["map anywhere", `type inet_proto . inet_service : ${address} . inet_service;`],
    ["set guarded_addressed", `type inet_proto . ${address} . inet_service;`],
    ["set guarded_anywhere", "type inet_proto . inet_service;"],
    ["set open_addressed", `type inet_proto . ${address} . inet_service;`],
    ["set open_anywhere", "type inet_proto . inet_service;"],
  ];
  const filled = sets.map(([name, type]) => {
    const mine = elements.filter((one) => one.family === family && name.endsWith(` ${one.set}`)).map(elementText);
    return `  ${name} { ${type}${mine.length === 0 ? "" : ` elements = { ${mine.join(", ")} };`} }\n`;
  });
  return `add table ${family} ${table}
delete table ${family} ${table}
table ${family} ${table} {
${filled.join("")}  chain early {
    type filter hook prerouting priority raw; policy accept;
${EARLY[family](back)}  }
  chain translate {
    dnat to ${exact} map @addressed
    fib daddr type local dnat to ${any} map @anywhere
  }
  chain from_elsewhere {
    type nat hook prerouting priority dstnat; policy accept;
    iifname "${back}" goto translate
    iifname @bridges goto translate
    ${exact} @open_addressed goto translate
    fib daddr type local ${any} @open_anywhere goto translate
  }
  chain from_here {
    type nat hook output priority -100; policy accept;
${FROM_HERE[family]}    fib daddr type local goto translate
  }
  chain turn {
    iifname "${back}" drop
    dup to ${NEXT_HOP[family]} device "${out}"
    drop
  }
  chain let_in {
    type filter hook input priority ${LAST}; policy accept;
    ct state != new accept
    iifname "lo" accept
    ${exact} @guarded_addressed goto turn
    fib daddr type local ${any} @guarded_anywhere goto turn
  }
  chain answers {
    type nat hook postrouting priority srcnat; policy accept;
${ANSWERS[family]}    ct status dnat oifname . ${family} saddr @subnets masquerade
  }
}
`;
}

/** What makes a bridge's containers reach published ports, those of their own network among them. */
export function bridgeElements({ name, internal, subnets }: PortBridge): readonly Element[] {
  if (internal) return [];
  const bridge = { kind: "interface", name } as const;
  const all = (["ip", "ip6"] as const).map((family) => ({ family, set: "bridges", key: [bridge] }));
  const ranges = subnets.map(
    (subnet): Element => ({
      family: subnet.includes(":") ? "ip6" : "ip",
      set: "subnets",
      key: [bridge, { kind: "subnet", subnet }],
    }),
  );
  return [...all, ...ranges];
}

/**
 * What makes one host port lead to its container. Nothing where the container has no address of the port's family, nor
 * for `::1`: the kernel takes no answer to it from elsewhere. The relay serves those.
 */
export function portElements(port: PublishedPort, target: PortTarget, comment: string): readonly Element[] {
  const { hostAddress, protocol, hostPort, containerPort } = port;
  const family = familyOf(hostAddress);
  const address = family === "ip" ? target.ipAddress : target.ipv6Address;
  if (family === undefined || address === "" || hostAddress === "::1") return [];
  const where = isAny(hostAddress) ? "anywhere" : "addressed";
  const key = [
    { kind: "protocol", protocol } as const,
    ...(isAny(hostAddress) ? [] : [{ kind: "address", address: hostAddress } as const]),
    { kind: "port", port: hostPort } as const,
  ];
  const value = [{ kind: "address", address } as const, { kind: "port", port: containerPort } as const];
  const lead: Element = { family, set: where, key, value, comment };
  if (isLoopback(hostAddress)) return [lead];
  return [lead, { family, set: `${port.open ? "open" : "guarded"}_${where}`, key }];
}
