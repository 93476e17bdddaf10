import { existsSync } from "node:fs";
import { applyNftables, changeIptablesFilter, listForwardChains, listIptablesFilter } from "../kernel/mod.ts";
import { bridgeOptions } from "./bridge/mod.ts";
import { knownSubnet } from "./ip.ts";
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
}

/** Rules of a daemon's bridges, in a table named for its default bridge: two daemons never touch each other's rules. */
export interface Rules {
  readonly owner: string;
  readonly bridges: readonly BridgeRules[];
}

export function tableName(owner: string): string {
  return `havre-${owner}`;
}

function chainName(owner: string): string {
  return `HAVRE-${owner}`;
}

/** The rules of a bridge network. */
export function rulesOf(network: StoredNetwork): BridgeRules {
  const { name, icc, masquerade } = bridgeOptions(network);
  const subnets = network.pools.map(({ subnet, gateway }) => ({ subnet, gateway, family: knownSubnet(subnet).family }));
  return { bridge: name, subnets, internal: network.spec.internal, icc, masquerade };
}

/** All of a daemon's rules, replacing what it had before in the same transaction. */
export function ruleset({ owner, bridges }: Rules): string {
  const table = tableName(owner);
  const jumps = (direction: string) =>
    bridges.map(({ bridge }) => `"${bridge}" : jump ${direction}-${bridge}`).join(", ");
  const forward =
    bridges.length === 0 ? "" : `    iifname vmap { ${jumps("from")} }\n    oifname vmap { ${jumps("to")} }\n`;
  return `add table inet ${table}
delete table inet ${table}
table inet ${table} {
${bridges.map(chainsOf).join("")}  # Nobody on a bridge sends as someone else, and nobody outside reaches a container but through a published port.
  chain spoof {
    type filter hook prerouting priority raw; policy accept;
${bridges.map(spoofRules).join("")}  }
  chain forward {
    type filter hook forward priority filter; policy accept;
${forward}  }
  chain outwards {
    type nat hook postrouting priority srcnat; policy accept;
${bridges.map(masqueradeRules).join("")}  }
}
`;
}

/** What leaves a bridge, and what comes in. An accept here is final for this table only: the host's firewall judges too. */
function chainsOf({ bridge, internal, icc }: BridgeRules): string {
  return `  chain from-${bridge} {
${internal ? `    oifname != "${bridge}" drop\n` : ""}  }
  chain to-${bridge} {
    iifname "${bridge}" ${icc ? "accept" : "drop"}
    ct state established,related accept
${internal ? "" : "    ct status dnat accept\n"}    drop
  }
`;
}

function spoofRules({ bridge, subnets, masquerade, internal }: BridgeRules): string {
  const allowed = (family: 4 | 6) => subnets.filter((one) => one.family === family).map(({ subnet }) => subnet);
  const ipv6 = allowed(6);
  const own = [
    `    iifname "${bridge}" ip saddr != { ${[...allowed(4), "0.0.0.0"].join(", ")} } drop\n`,
    ipv6.length === 0
      ? `    iifname "${bridge}" meta nfproto ipv6 drop\n`
      : `    iifname "${bridge}" ip6 saddr != { ${[...ipv6, "fe80::/10", "::"].join(", ")} } drop\n`,
  ];
  // Without masquerading answers come straight to the container; the forward chain tells them from the rest.
  const straight = (masquerade || internal ? subnets : []).map(({ subnet, family, gateway }) => {
    const match = family === 4 ? "ip" : "ip6";
    const but = gateway === undefined ? "" : ` ${match} daddr != ${gateway}`;
    return `    iifname != { "${bridge}", "lo" } ${match} daddr ${subnet}${but} drop\n`;
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
  await passWhereNeeded(rules);
}

/** Makes those rules again that someone has removed since, or that a firewall started since makes necessary. */
export async function repairRules(rules: Rules): Promise<void> {
  const chains = (await listForwardChains()) ?? [];
  const ours = chains.some(({ family, table }) => family === "inet" && table === tableName(rules.owner));
  if (!ours) await applyNftables(ruleset(rules));
  await passWhereNeeded(rules);
}

async function passWhereNeeded(rules: Rules): Promise<void> {
  const current = await listIptablesFilter();
  const docker = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"].some((path) => existsSync(path));
  if (!current || !iptablesMatters(current, docker)) return;
  const wanted = passIptables(rules, current);
  const own = (lines: readonly string[]) => lines.filter((line) => line.startsWith(`-A ${chainName(rules.owner)} `));
  const settled = wanted.every((line) => line.startsWith(":") || current.includes(line));
  if (!settled || own(wanted).length !== own(current).length) await changeIptablesFilter(wanted);
}

/** Removes the rules of a daemon, if there are any. */
export async function removeRules(owner: string): Promise<void> {
  const table = tableName(owner);
  await applyNftables(`add table inet ${table}\ndelete table inet ${table}\n`);
  const lines = unpassIptables(owner, (await listIptablesFilter()) ?? []);
  if (lines.length > 0) await changeIptablesFilter(lines);
}
