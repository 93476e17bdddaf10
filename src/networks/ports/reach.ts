import { listAddresses, listIptablesFilter, listLinks, listNftables, NetlinkSocket } from "../../kernel/mod.ts";
import { isEgressTable } from "../egress/mod.ts";
import { addressFromBytes, formatAddress } from "../ip.ts";
import { familyOf, isAny, isLoopback, withPort } from "./addresses.ts";
import type { PortTarget, PublishedPort } from "./model.ts";
import { isPortTable } from "./rules.ts";
import { TURNAROUND_ADDRESS } from "./turnaround.ts";
import { type Firewall, judge } from "./verdict/chains.ts";
import { iptablesFirewall } from "./verdict/iptables.ts";
import { nftablesFirewalls } from "./verdict/nftables.ts";

/** An address of this host, and where it stands. */
export interface HostAddress {
  readonly interfaceName: string;
  readonly address: string;
}

/** What there is to know of a host to tell who reaches its ports. */
export interface HostFacts {
  readonly addresses: readonly HostAddress[];
  readonly firewalls: readonly Firewall[];
}

/** One kind of clients of a published port. */
export interface PortClients {
  /** `outside`: whoever's packets come in by `interfaceName`. */
  readonly who: "this host" | "containers" | "outside";
  readonly interfaceName?: string;
  /** Where they find the port. */
  readonly addresses: readonly string[];
  /** `some`: only certain sources, or it hangs on rules that cannot be read from here. */
  readonly verdict: "yes" | "no" | "some";
  readonly reason: string;
}

export interface PortReach {
  readonly containerPort: number;
  readonly protocol: string;
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly clients: readonly PortClients[];
}

/** Looks at addresses and firewall of this host. `internal`: interfaces that lead to nobody outside. */
export async function readHostFacts(internal: ReadonlySet<string>): Promise<HostFacts> {
  using socket = new NetlinkSocket();
  const names = new Map(listLinks(socket).map(({ index, name }) => [index, name]));
  const addresses = listAddresses(socket).flatMap(({ index, address }): HostAddress[] => {
    const interfaceName = names.get(index) ?? "";
    const text = formatAddress(address.byteLength === 4 ? 4 : 6, addressFromBytes(address));
    return interfaceName === "" || internal.has(interfaceName) || isNotForPeople(text)
      ? []
      : [{ interfaceName, address: text }];
  });
  const [ruleset, four, six] = await Promise.all([listNftables(), listIptablesFilter(4), listIptablesFilter(6)]);
  const isNotAsked = (table: string) => isPortTable(table) || isEgressTable(table);
  const ofIptables = (family: string, table: string) =>
    table === "filter" && ((family === "ip" && four !== undefined) || (family === "ip6" && six !== undefined));
  return {
    addresses,
    firewalls: [
      ...nftablesFirewalls(ruleset, (family, table) => isNotAsked(table) || ofIptables(family, table)),
      ...(four ? [iptablesFirewall("ip", four)] : []),
      ...(six ? [iptablesFirewall("ip6", six)] : []),
    ],
  };
}

/** Link-local ones mean something on one link only; those of turnarounds mean nothing. */
function isNotForPeople(address: string): boolean {
  return address.startsWith("fe80:") || address === TURNAROUND_ADDRESS;
}

/** Who reaches a published port, and why or why not. */
export function reachOf(port: PublishedPort, target: PortTarget, host: HostFacts): PortReach {
  const { containerPort, protocol, hostAddress, hostPort } = port;
  const family = familyOf(hostAddress);
  const found = host.addresses.filter(({ address }) =>
    isAny(hostAddress) ? familyOf(address) === family : address === hostAddress,
  );
  const at = (addresses: readonly HostAddress[]) => addresses.map(({ address }) => withPort(address, hostPort));
  const outside = found.filter(({ address }) => !isLoopback(address));
  const own: PortClients = { who: "this host", addresses: at(found), verdict: "yes", reason: "never filtered" };
  // A relay is a process of the host, and what the host's rules let containers do with its processes is not ours to tell.
  const translated = family === "ip" || target.ipv6Address !== "";
  const containers: readonly PortClients[] =
    outside.length === 0 || !translated
      ? []
      : [{ who: "containers", addresses: at(outside), verdict: "yes", reason: "a published port is for all networks" }];
  const byInterface = [...new Set(outside.map(({ interfaceName }) => interfaceName))].map((interfaceName) => {
    const here = outside.filter((one) => one.interfaceName === interfaceName);
    return { who: "outside", interfaceName, addresses: at(here), ...verdictOf(port, here, translated, host) } as const;
  });
  return { containerPort, protocol, hostAddress, hostPort, clients: [own, ...containers, ...byInterface] };
}

function verdictOf(
  { protocol, hostPort, open }: PublishedPort,
  addresses: readonly HostAddress[],
  translated: boolean,
  { firewalls }: HostFacts,
): Pick<PortClients, "verdict" | "reason"> {
  if (open && translated) return { verdict: "yes", reason: "opened: the host's firewall is not asked" };
  const verdicts = addresses.map(({ interfaceName, address }) =>
    judge(firewalls, { family: familyOf(address) ?? "ip", protocol, interfaceName, address, port: hostPort }),
  );
  const sources = [...new Set(verdicts.flatMap((one) => one.sources))];
  if (verdicts.every(({ kind }) => kind === "allowed")) {
    return {
      verdict: "yes",
      reason: firewalls.length === 0 ? "the host has no firewall" : "the host's firewall lets it in",
    };
  }
  if (verdicts.every(({ kind }) => kind === "denied"))
    return { verdict: "no", reason: "the host's firewall denies it" };
  const who = sources.length === 0 ? "by rules that cannot be told from here" : `for ${sources.join(", ")}`;
  return { verdict: "some", reason: `the host's firewall lets it in ${who}` };
}
