import { existsSync } from "node:fs";
import { applyNftables, changeIptablesFilter, listForwardChains, listIptablesFilter } from "../kernel/mod.ts";
import { formatIpv4, formatSubnet, type Ipv4, type Subnet } from "./ipv4.ts";

export interface BridgeRules {
  readonly bridge: string;
  readonly subnet: Subnet;
  readonly gateway: Ipv4;
}

/** Each bridge has a table of its own: two daemons never touch each other's rules. */
export function tableName(bridge: string): string {
  return `havre-${bridge}`;
}

function chainName(bridge: string): string {
  return `HAVRE-${bridge}`;
}

/** The bridge's nftables table, replacing what it had before in the same transaction. */
export function bridgeRuleset({ bridge, subnet, gateway }: BridgeRules): string {
  const table = tableName(bridge);
  const net = formatSubnet(subnet);
  return `add table ip ${table}
delete table ip ${table}
table ip ${table} {
  # Nobody on the bridge sends as someone else, and nobody outside reaches a container but through a published port.
  chain spoof {
    type filter hook prerouting priority raw; policy accept;
    iifname "${bridge}" ip saddr != ${net} ip saddr != 0.0.0.0 drop
    iifname != { "${bridge}", "lo" } ip daddr ${net} ip daddr != ${formatIpv4(gateway)} drop
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    iifname "${bridge}" accept
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" drop
  }
  chain outwards {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${net} oifname != "${bridge}" masquerade
  }
}
`;
}

/**
 * What to tell iptables so that its FORWARD chain lets the bridge's traffic pass: an accept in one nftables table does
 * not overrule a drop in another, and Docker and ufw set the policy of FORWARD to DROP. Our own table has decided by
 * then. Traffic to Docker's bridges is left to Docker's rules.
 * @param current the filter table as `iptables -S` prints it.
 * @returns iptables-restore lines.
 */
export function passIptables(bridge: string, current: readonly string[]): readonly string[] {
  const chain = chainName(bridge);
  const dockerBridges = current.flatMap((line) => /^-A DOCKER-ISOLATION-STAGE-1 -i (\S+) /.exec(line)?.[1] ?? []);
  const parent = current.includes("-N DOCKER-USER") ? "DOCKER-USER" : "FORWARD";
  const jump = `-j ${chain}`;
  return [
    `:${chain} - [0:0]`,
    ...[...new Set(dockerBridges)].map((other) => `-A ${chain} -i ${bridge} -o ${other} -j RETURN`),
    `-A ${chain} -i ${bridge} -j ACCEPT`,
    `-A ${chain} -o ${bridge} -j ACCEPT`,
    ...(current.includes(`-A ${parent} ${jump}`) ? [] : [`-I ${parent} 1 ${jump}`]),
  ];
}

/** The reverse of `passIptables`, whatever of it is there. */
export function unpassIptables(bridge: string, current: readonly string[]): readonly string[] {
  const chain = chainName(bridge);
  if (!current.includes(`-N ${chain}`)) return [];
  const jumps = current.filter((line) => line.startsWith("-A ") && line.endsWith(` -j ${chain}`));
  return [...jumps.map((line) => `-D ${line.slice(3)}`), `-F ${chain}`, `-X ${chain}`];
}

/** True when someone on this host rules by iptables, or may soon (Docker starts after us): else its tables are left unmade. */
export function iptablesMatters(current: readonly string[], dockerInstalled: boolean): boolean {
  return dockerInstalled || current.some((line) => line !== `-P ${line.split(" ")[1]} ACCEPT`);
}

/** Makes the rules of the bridge. Repeatable. */
export async function installRules(rules: BridgeRules): Promise<void> {
  await applyNftables(bridgeRuleset(rules));
  await passWhereNeeded(rules.bridge);
}

/** Makes those rules again that someone has removed since, or that a firewall started since makes necessary. */
export async function repairRules(rules: BridgeRules): Promise<void> {
  const chains = (await listForwardChains()) ?? [];
  const ours = chains.some(({ family, table }) => family === "ip" && table === tableName(rules.bridge));
  if (!ours) await applyNftables(bridgeRuleset(rules));
  await passWhereNeeded(rules.bridge);
}

async function passWhereNeeded(bridge: string): Promise<void> {
  const current = await listIptablesFilter();
  const docker = ["/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd"].some((path) => existsSync(path));
  if (!current || !iptablesMatters(current, docker)) return;
  const wanted = passIptables(bridge, current);
  if (wanted.some((line) => !line.startsWith(":") && !current.includes(line))) await changeIptablesFilter(wanted);
}

/** Removes the rules of the bridge, if there are any. */
export async function removeRules(bridge: string): Promise<void> {
  const table = tableName(bridge);
  await applyNftables(`add table ip ${table}\ndelete table ip ${table}\n`);
  const lines = unpassIptables(bridge, (await listIptablesFilter()) ?? []);
  if (lines.length > 0) await changeIptablesFilter(lines);
}
