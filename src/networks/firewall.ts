import { existsSync } from "node:fs";
import {
  applyNftables,
  changeIptablesFilter,
  listFirewalldInterfaces,
  listForwardChains,
  listIptablesFilter,
  trustInFirewalld,
} from "../kernel/mod.ts";
import { bridgeOptions } from "./bridge/mod.ts";
import { egressTableName } from "./egress/mod.ts";
import { knownSubnet } from "./ip.ts";
import { MEMBER_SETS, type Members } from "./members.ts";
import type { StoredNetwork } from "./model.ts";

/** What one bridge network is allowed. */
export interface BridgeRules {
  readonly bridge: string;
  /** CIDR, with the host's address there if it has one. */
  readonly subnets: readonly {
    readonly subnet: string;
    readonly family: 4 | 6;
    readonly gateway: string | undefined;
  }[];
  /** No way out, and none in. */
  readonly internal: boolean;
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** Containers reach services of the host by the bridge's address. */
  readonly hostAccess: boolean;
  /** Containers reach link-local addresses beyond the host. */
  readonly linkLocalAccess: boolean;
}

/** Rules of a daemon's bridges, in a table named for its default bridge: two daemons never touch each other's rules. */
export interface Rules {
  readonly owner: string;
  readonly bridges: readonly BridgeRules[];
  readonly members: Pick<Members, "elements" | "replay">;
}

/** The table of firewalld. */
export const FIREWALLD = "firewalld";

export function tableName(owner: string): string {
  return `havre-${owner}`;
}

function chainName(owner: string): string {
  return `HAVRE-${owner}`;
}

/** The rules of a bridge network. */
export function rulesOf(network: StoredNetwork): BridgeRules {
  const { name, icc, masquerade, hostAccess, linkLocalAccess } = bridgeOptions(network);
  const subnets = network.pools.map(({ subnet, gateway }) => ({ subnet, gateway, family: knownSubnet(subnet).family }));
  return { bridge: name, subnets, internal: network.spec.internal, icc, masquerade, hostAccess, linkLocalAccess };
}

/** Where clouds tell a machine its secrets: never by way of a router (RFC 3927, 2.7), and Amazon's IPv6 one. */
const LINK_LOCAL = "169.254.0.0/16";
const METADATA = { ip: LINK_LOCAL, ip6: "fd00:ec2::254" } as const;

/** All of a daemon's rules, replacing what it had before in the same transaction. */
export function ruleset({ owner, bridges, members }: Rules): string {
  const table = tableName(owner);
  const sets = (family: keyof typeof MEMBER_SETS) =>
    MEMBER_SETS[family].map(([name, type]) => {
      const elements = members.elements(name);
      return `  set ${name} { ${type}${elements.length === 0 ? "" : ` elements = { ${elements.join(", ")} };`} }\n`;
    });
  const judge = (what: string, chain: string) => {
    const jumps = bridges.map(({ bridge }) => `"${bridge}" : jump ${chain}-${bridge}`);
    return jumps.length === 0 ? "" : `    ${what} vmap { ${jumps.join(", ")} }\n`;
  };
  return `add table inet ${table}
delete table inet ${table}
add table bridge ${table}
delete table bridge ${table}
table inet ${table} {
  set bridges { type ifname;${bridges.length === 0 ? "" : ` elements = { ${bridges.map(({ bridge }) => `"${bridge}"`).join(", ")} };`} }
${sets("inet").join("")}${gatewayChain(bridges)}${bridges.map(chainsOf).join("")}  # Nobody on a bridge sends as someone of another network, and nobody outside reaches a container but through a published port.
  chain spoof {
    type filter hook prerouting priority raw; policy accept;
${bridges.map(spoofRules).join("")}  }
  chain forward {
    type filter hook forward priority filter; policy accept;
${judge("iifname", "from")}${judge("oifname", "to")}  }
  chain input {
    type filter hook input priority filter; policy accept;
${judge("iifname", "host")}  }
  chain outwards {
    type nat hook postrouting priority srcnat; policy accept;
${bridges.map(masqueradeRules).join("")}  }
}
table bridge ${table} {
${sets("bridge").join("")}${FRAMES}}
`;
}

/**
 * What containers put on a bridge: each interface sends from its own MAC address and IP addresses only, in ARP and
 * neighbour discovery too, else one could take over another's connections. No container is a router: an announcement
 * of one would take over the others' way out (CVE-2020-13401). What is neither IP nor ARP is not for a bridge of ours.
 */
const FRAMES = `  chain from_arp {
    iifname . ether saddr . arp saddr ip != @members4 drop
    iifname . arp saddr ether . arp saddr ip @members4 accept
    drop
  }
  chain from_ip {
    iifname . ether saddr . ip saddr @members4 accept
    drop
  }
  chain from_ip6 {
    icmpv6 type { nd-router-advert, nd-redirect } drop
    iifname . ether saddr != @macs drop
    icmpv6 type nd-neighbor-advert @th,64,10 != 0x3fa iifname . @th,64,128 != @targets drop
    ip6 saddr { fe80::/10, :: } accept
    iifname . ether saddr . ip6 saddr @members6 accept
    drop
  }
  chain frames {
    type filter hook prerouting priority -300; policy accept;
    iifname != @ports accept
    ether type vmap { arp : goto from_arp, ip : goto from_ip, ip6 : goto from_ip6 }
    drop
  }
  chain between {
    type filter hook forward priority 0; policy accept;
    iifname @alone drop
  }
`;

/**
 * The host's addresses on our bridges: its services there are not for containers unless that is allowed. Protocols stand
 * by number: a small host lacks /etc/protocols, where nft looks up their names.
 */
function gatewayChain(bridges: readonly BridgeRules[]): string {
  const gateways = (family: 4 | 6) =>
    bridges.flatMap(({ subnets }) =>
      subnets.filter((one) => one.family === family).flatMap(({ gateway }) => gateway ?? []),
    );
  const [four, six] = [gateways(4), gateways(6)];
  return `  chain gateways {
    ct state established,related accept
    meta l4proto { 1, 58 } accept
    ip saddr @host_access4 accept
    ip6 saddr @host_access6 accept
    th dport 53 meta l4proto { 6, 17 } accept
${four.length === 0 ? "" : `    ip daddr { ${four.join(", ")} } drop\n`}    ip6 daddr { ${[...six, "fe80::/10"].join(", ")} } drop
  }
`;
}

/** What leaves a bridge, what comes in, and what is for the host. An accept here is final for this table only: the host's firewall judges too. */
function chainsOf({ bridge, internal, icc, hostAccess, linkLocalAccess }: BridgeRules): string {
  const outwards = internal
    ? `    oifname != "${bridge}" drop\n`
    : linkLocalAccess
      ? ""
      : `    oifname != "${bridge}" ip daddr ${METADATA.ip} ip saddr . ip daddr != @link_local4 drop\n    ip6 daddr ${METADATA.ip6} ip6 saddr . ip6 daddr != @link_local6 drop\n`;
  const toHost = internal
    ? "    ct state established,related accept\n    meta l4proto { 1, 58 } accept\n    drop\n"
    : hostAccess
      ? ""
      : "    jump gateways\n";
  // Link-local addresses are not routed (RFC 3927, 2.7).
  return `  chain from-${bridge} {
    ip saddr ${LINK_LOCAL} oifname != "${bridge}" drop
${outwards}  }
  chain to-${bridge} {
    ct state established,related accept
${internal ? "" : "    ct status dnat accept\n"}    iifname "${bridge}" ${icc ? "accept" : "drop"}
    drop
  }
  chain host-${bridge} {
${toHost}  }
`;
}

function spoofRules({ bridge, subnets, masquerade, internal }: BridgeRules): string {
  const allowed = (family: 4 | 6) => subnets.filter((one) => one.family === family).map(({ subnet }) => subnet);
  const ipv6 = allowed(6);
  const own = [
    `    iifname "${bridge}" ip saddr != { ${[...allowed(4), "0.0.0.0", LINK_LOCAL].join(", ")} } drop\n`,
    ipv6.length === 0
      ? `    iifname "${bridge}" meta nfproto ipv6 drop\n`
      : `    iifname "${bridge}" ip6 saddr != { ${[...ipv6, "fe80::/10", "::"].join(", ")} } drop\n`,
  ];
  // Without masquerading answers come straight to the container; the forward chain tells them from the rest, and what comes
  // from another of our bridges: a limited container is to be told that it is refused.
  const straight = (masquerade || internal ? subnets : []).map(({ subnet, family, gateway }) => {
    const match = family === 4 ? "ip" : "ip6";
    const but = gateway === undefined ? "" : ` ${match} daddr != ${gateway}`;
    return `    iifname != "lo" iifname != @bridges ${match} daddr ${subnet}${but} drop\n`;
  });
  return [...own, ...straight].join("");
}

function masqueradeRules({ bridge, subnets, masquerade, internal }: BridgeRules): string {
  if (!masquerade || internal) return "";
  return subnets
    .map(
      ({ subnet, family }) => `    ${family === 4 ? "ip" : "ip6"} saddr ${subnet} oifname != "${bridge}" masquerade\n`,
    )
    .join("");
}

/**
 * What to tell iptables so that its FORWARD chain lets the bridges' traffic pass: an accept in one nftables table does
 * not overrule a drop in another, and Docker and ufw set the policy of FORWARD to DROP. Our own table has decided by
 * then. Traffic to Docker's bridges is left to Docker's rules.
 * @param current the filter table as `iptables -S` prints it.
 * @returns iptables-restore lines.
 */
export function passIptables({ owner, bridges }: Rules, current: readonly string[]): readonly string[] {
  const chain = chainName(owner);
  const names = bridges.map(({ bridge }) => bridge);
  const dockerBridges = current.flatMap((line) => /^-A DOCKER-ISOLATION-STAGE-1 -i (\S+) /.exec(line)?.[1] ?? []);
  const parent = current.includes("-N DOCKER-USER") ? "DOCKER-USER" : "FORWARD";
  const jump = `-j ${chain}`;
  return [
    `:${chain} - [0:0]`,
    ...names.flatMap((bridge) => [
      ...[...new Set(dockerBridges)].map((other) => `-A ${chain} -i ${bridge} -o ${other} -j RETURN`),
      `-A ${chain} -i ${bridge} -j ACCEPT`,
      `-A ${chain} -o ${bridge} -j ACCEPT`,
    ]),
    ...(current.includes(`-A ${parent} ${jump}`) ? [] : [`-I ${parent} 1 ${jump}`]),
  ];
}

/** The reverse of `passIptables`, whatever of it is there. */
export function unpassIptables(owner: string, current: readonly string[]): readonly string[] {
  const chain = chainName(owner);
  if (!current.includes(`-N ${chain}`)) return [];
  const jumps = current.filter((line) => line.startsWith("-A ") && line.endsWith(` -j ${chain}`));
  return [...jumps.map((line) => `-D ${line.slice(3)}`), `-F ${chain}`, `-X ${chain}`];
}

/** True when someone on this host rules by iptables, or may soon (Docker starts after us): else its tables are left unmade. */
export function iptablesMatters(current: readonly string[], dockerInstalled: boolean): boolean {
  return dockerInstalled || current.some((line) => line !== `-P ${line.split(" ")[1]} ACCEPT`);
}

/** Makes the rules. Repeatable. */
export async function installRules(rules: Rules): Promise<void> {
  await applyNftables(ruleset(rules));
  rules.members.replay();
  await passWhereNeeded(rules);
}

/** Makes those rules again that someone has removed since, or that a firewall started since makes necessary. */
export async function repairRules(rules: Rules): Promise<void> {
  const chains = (await listForwardChains()) ?? [];
  const there = (wanted: string) =>
    chains.some(({ family, table }) => family === wanted && table === tableName(rules.owner));
  if (!there("inet") || !there("bridge")) {
    await applyNftables(ruleset(rules));
    rules.members.replay();
  }
  await passWhereNeeded(rules);
}

async function passWhereNeeded(rules: Rules): Promise<void> {
  const docker = isInstalled("dockerd");
  await passFamily(rules, 4, docker);
  const bridges = rules.bridges.filter(({ subnets }) => subnets.some(({ family }) => family === 6));
  if (bridges.length > 0) await passFamily({ ...rules, bridges }, 6, docker);
  await passFirewalld(rules);
}

function isInstalled(program: string): boolean {
  return ["/usr/bin", "/usr/sbin", "/usr/local/bin"].some((folder) => existsSync(`${folder}/${program}`));
}

/**
 * firewalld drops what is forwarded to an interface of no zone. Bridges go into the one that accepts: our own table has
 * judged what comes there, and what goes to the host. One that the operator has put somewhere stays there.
 */
async function passFirewalld({ bridges }: Rules): Promise<void> {
  if (!isInstalled("firewall-cmd")) return;
  const chains = (await listForwardChains()) ?? [];
  if (!chains.some(({ table }) => table === FIREWALLD)) return;
  const known = await listFirewalldInterfaces();
  const missing = known ? bridges.map(({ bridge }) => bridge).filter((bridge) => !known.has(bridge)) : [];
  if (missing.length > 0) await trustInFirewalld(missing);
}

async function passFamily(rules: Rules, family: 4 | 6, docker: boolean): Promise<void> {
  const current = await listIptablesFilter(family);
  if (!current || !iptablesMatters(current, docker)) return;
  const wanted = passIptables(rules, current);
  const own = (lines: readonly string[]) => lines.filter((line) => line.startsWith(`-A ${chainName(rules.owner)} `));
  const settled = wanted.every((line) => line.startsWith(":") || current.includes(line));
  if (!settled || own(wanted).length !== own(current).length) await changeIptablesFilter(wanted, family);
}

/** Removes the rules of a daemon, if there are any. */
export async function removeRules(owner: string): Promise<void> {
  const tables = [`inet ${tableName(owner)}`, `bridge ${tableName(owner)}`, `inet ${egressTableName(owner)}`];
  const remove = tables.map((table) => `add table ${table}\ndelete table ${table}\n`);
  await applyNftables(remove.join(""));
  const chains = (await listForwardChains()) ?? [];
  // Asking for rules that are not there would make tables for them.
  const filters = chains.filter(({ table }) => table === "filter");
  const families = ([4, 6] as const).filter((one) => one === 4 || filters.some(({ family }) => family === "ip6"));
  for (const family of families) {
    const lines = unpassIptables(owner, (await listIptablesFilter(family)) ?? []);
    if (lines.length > 0) await changeIptablesFilter(lines, family);
  }
}
