import { ALL_SETS, type EgressElement } from "./elements.ts";

const TABLE_PREFIX = "havre-egress-";

/** The table of a daemon, named for its default bridge. */
export function egressTableName(owner: string): string {
  return `${TABLE_PREFIX}${owner}`;
}

/** A table for what containers reach, of any daemon: it judges nothing that comes from elsewhere. */
export function isEgressTable(name: string): boolean {
  return name.startsWith(TABLE_PREFIX);
}

/** Sets whose elements are told by containers that are; the others hold what was learned and refused meanwhile. */
const STANDING = ["limited", "home", "reach", "reach_ports"] as const;
/** What was refused is told for so long; and what was learned is granted as long again whenever it is used. */
export const REFUSED_HOURS = 24;
export const LEARNED_HOURS = 1;

/**
 * The table with these elements; what was learned and refused stays. In prerouting, before addresses are translated: what a
 * container asked for is judged, whether it is the host's, another network's or a published port. Who it is was seen by the
 * rules for bridges. Protocols stand by number: a small host lacks /etc/protocols.
 */
export function egressTable(owner: string, elements: readonly EgressElement[]): string {
  const table = `inet ${egressTableName(owner)}`;
  const sets = Object.entries(ALL_SETS).map(([name, type]) => `  set ${name} { ${type} }\n`);
  const standing = [...STANDING.flatMap((set) => [`${set}4`, `${set}6`]), "links"];
  const add = elements.map(({ set, text }) => `add element ${table} ${set} { ${text} }\n`);
  return `add table ${table}
flush table ${table}
table ${table} {
${sets.join("")}${judge(4)}${judge(6)}  chain sent {
    type filter hook prerouting priority mangle; policy accept;
    ip saddr @limited4 goto judge4
    ip6 saddr @limited6 goto judge6
    ip6 saddr fe80::/10 iifname . ether saddr @links fib daddr . iif type local meta l4proto != 58 drop
  }
  chain received {
    type filter hook input priority filter - 5; policy accept;
    ip saddr @limited4 fib daddr type { broadcast, multicast } drop
    ip6 saddr @limited6 ip6 daddr ff00::/8 meta l4proto != 58 drop
    iifname . ether saddr @links ip6 daddr ff00::/8 meta l4proto != 58 drop
  }
}
${standing.map((set) => `flush set ${table} ${set}\n`).join("")}${add.join("")}`;
}

/**
 * Refused at once, so that programs say so instead of waiting. A packet that belongs to no connection is dropped: an answer
 * to it would end one that goes on. Groups of receivers are judged where they are the host (`received`): neighbours are free.
 */
function judge(family: 4 | 6): string {
  const ip = family === 4 ? "ip" : "ip6";
  const there = `${ip} saddr . ${ip} daddr`;
  const port = `${there} . meta l4proto . th dport`;
  const again = `timeout ${LEARNED_HOURS}h`;
  const receivers = family === 4 ? "fib daddr type { broadcast, multicast }" : "ip6 daddr ff00::/8";
  return `  chain judge${family} {
    ct state established,related accept
    ct state invalid drop
    ${receivers} accept
${family === 6 ? "    icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n" : ""}    fib daddr type local meta l4proto ${family === 4 ? 1 : 58} accept
    fib daddr type != local ${there} @home${family} accept
    ${there} @reach${family} accept
    ${port} @reach_ports${family} accept
    ${there} @names${family} update @names${family} { ${there} ${again} } accept
    ${port} @name_ports${family} update @name_ports${family} { ${port} ${again} } accept
    meta l4proto { 6, 17 } update @refused${family} { ${port} }
    meta l4proto != { 6, 17 } update @refused_others${family} { ${there} . meta l4proto }
    meta l4proto 6 reject with tcp reset
    reject with icmpx admin-prohibited
  }
`;
}
