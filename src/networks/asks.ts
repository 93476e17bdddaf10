import { HavreError } from "../base/mod.ts";
import { contains, type Family, knownSubnet, parseAddress, parseMac } from "./ip.ts";
import type { StoredEndpoint, StoredNetwork } from "./model.ts";
import { givenOf } from "./network-addresses.ts";
import { type EndpointAsk, PREDEFINED } from "./networks.ts";
import type { Wish } from "./open-network.ts";

/** What is wrong with what a container asks of a network, in Docker's words and order. */
export function askProblems(
  { ipv4, ipv6, aliases = [], linkLocal = [] }: EndpointAsk,
  network: StoredNetwork,
): readonly string[] {
  const predefined = PREDEFINED.includes(network.name);
  const addressed = Boolean(ipv4 || ipv6);
  const found: string[] = [];
  if (predefined && addressed) found.push("user specified IP address is supported on user defined networks only");
  if (predefined && aliases.length > 0)
    found.push("network-scoped alias is supported only for containers in user defined networks");
  if (ipv4 && parseAddress(ipv4)?.family !== 4) found.push(`invalid IPv4 address: ${ipv4}`);
  if (ipv6 && parseAddress(ipv6)?.family !== 6) found.push(`invalid IPv6 address: ${ipv6}`);
  for (const text of linkLocal) if (!parseAddress(text)) found.push(`invalid link-local IP address: ${text}`);
  found.push(...outside(4, ipv4, network), ...outside(6, ipv6, network));
  return found;
}

function outside(family: Family, text: string | undefined, network: StoredNetwork): string[] {
  if (!text) return [];
  const { spec, pools } = network;
  // The bridge of every host has a subnet though nobody asked for it.
  const settled = network.name === "bridge" ? pools : spec.ipam.pools;
  const configured = settled.some(({ subnet }) => subnet !== "" && knownSubnet(subnet).family === family);
  if (!configured)
    return ["user specified IP address is supported only when connecting to networks with user configured subnets"];
  const parsed = parseAddress(text);
  const inside = settled.some(({ subnet: of }) => {
    if (of === "") return false;
    const subnet = knownSubnet(of);
    return parsed?.family === family && subnet.family === family && contains(subnet, parsed.address);
  });
  return inside ? [] : [`no configured subnet or ip-range contain the IP address ${text}`];
}

/** Several problems as Docker lists them. */
export function listProblems(problems: readonly string[]): string {
  return problems.length === 1 ? problems.join("") : problems.map((text) => `* ${text}`).join("\n");
}

/**
 * What a container wants of a network, its former place in it remembered. `invalid-argument` with Docker's texts.
 */
export function wishOf(ask: EndpointAsk, network: StoredNetwork, former: StoredEndpoint | undefined): Wish {
  const problems = askProblems(ask, network);
  if (problems.length > 0)
    throw new HavreError("invalid-argument", `invalid endpoint settings:\n${listProblems(problems)}`);
  const [four, six] = [parseAddress(ask.ipv4 ?? ""), parseAddress(ask.ipv6 ?? "")];
  // A subnet of a network that does not carry its family is remembered only, as an address in it is, by Docker too.
  const carriesSix = network.pools.some(({ subnet }) => knownSubnet(subnet).family === 6);
  return {
    wanted: { ...(four ? { ipv4: four.address } : {}), ...(six && carriesSix ? { ipv6: six.address } : {}) },
    former: former && givenOf(former),
    mac: ask.macAddress ? parseMac(ask.macAddress) : undefined,
    linkLocal: ask.linkLocal ?? [],
    hostAccess: ask.hostAccess ?? false,
    egress: ask.egress,
  };
}
