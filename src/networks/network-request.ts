import { HavreError } from "../base/mod.ts";
import {
  contains,
  formatAddress,
  formatSubnet,
  knownSubnet,
  lastOf,
  parseAddress,
  parseCidr,
  type Subnet,
} from "./ip.ts";
import type { DriverName, IpamPool, NetworkSpec, StoredNetwork } from "./model.ts";
import { type NetworkRequest, PREDEFINED } from "./networks.ts";

/** Fills what was left out of a request and checks the rest. `invalid-argument`, `permission-denied`, `not-found` with Docker's texts. */
export function checkRequest(
  { name, ...asked }: NetworkRequest,
  driver: string = asked.driver ?? "bridge",
): NetworkSpec {
  if (PREDEFINED.includes(name) || name === "default")
    throw new HavreError("permission-denied", `operation is not permitted on predefined ${name} network `);
  if (name.trim() === "") throw new HavreError("invalid-argument", `invalid name: ${name}`);
  if (asked.ingress) throw new HavreError("permission-denied", "Ingress network can only be global scope network");
  if (!asked.configOnly) checkDriver(driver);
  const spec: NetworkSpec = {
    // A configuration is none that packets go through.
    driver: asked.configOnly ? "null" : (driver as DriverName),
    ipv6: asked.ipv6 ?? false,
    internal: asked.internal ?? false,
    attachable: asked.attachable ?? false,
    ingress: asked.ingress ?? false,
    configOnly: asked.configOnly ?? false,
    configFrom: asked.configFrom ?? "",
    scope: "local",
    ipam: asked.ipam ?? { driver: "default", options: undefined, pools: [] },
    options: asked.options ?? {},
    labels: asked.labels ?? {},
  };
  const problems = spec.ipam.pools.flatMap(poolProblems);
  if (problems.length > 0) throw new HavreError("invalid-argument", `invalid network config:\n${problems.join("\n")}`);
  if (spec.ipam.driver !== "default" && spec.ipam.driver !== "")
    throw new HavreError("not-found", `plugin ${JSON.stringify(spec.ipam.driver)} not found`);
  return spec;
}

function checkDriver(driver: string): void {
  if (driver === "bridge" || driver === "macvlan") return;
  if (driver === "host" || driver === "null")
    throw new HavreError("permission-denied", `only one instance of "${driver}" network is allowed`);
  if (driver === "overlay") {
    const text =
      'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
    throw new HavreError("permission-denied", text, { hint: "Networks over several hosts come with the cluster" });
  }
  if (driver === "ipvlan")
    throw new HavreError("invalid-argument", "ipvlan networks are not supported: use macvlan, or bridge");
  const hint = "Use bridge or macvlan";
  throw new HavreError("not-found", `plugin ${JSON.stringify(driver)} not found`, { hint });
}

function poolProblems(pool: IpamPool): string[] {
  if (pool.subnet === "") {
    const rest = pool.gateway || pool.ipRange || Object.keys(pool.auxiliary ?? {}).length > 0;
    return rest ? ["invalid subnet : invalid CIDR block notation"] : [];
  }
  const parsed = parseCidr(pool.subnet);
  if (!parsed) return [`invalid subnet ${pool.subnet}: invalid CIDR block notation`];
  const { subnet } = parsed;
  const found: string[] = [];
  if (subnet.base !== parsed.address) found.push(`invalid subnet ${pool.subnet}: it should be ${formatSubnet(subnet)}`);
  const range = pool.ipRange ? parseCidr(pool.ipRange) : undefined;
  if (pool.ipRange && !range) found.push(`invalid ip-range ${pool.ipRange}: invalid CIDR block notation`);
  if (range) found.push(...rangeProblems(pool.ipRange ?? "", range, subnet));
  const others = Object.entries(pool.auxiliary ?? {}).map(
    ([name, text]) => [`auxiliary address ${name}`, text] as const,
  );
  const gateway = pool.gateway ? [[`gateway ${pool.gateway}`, pool.gateway] as const] : [];
  for (const [what, text] of [...gateway, ...others]) {
    const address = parseAddress(text);
    if (!address) found.push(`invalid ${what}: invalid address`);
    else if (address.family !== subnet.family)
      found.push(`invalid ${what}: parent subnet is an IPv${subnet.family} block`);
    else if (!contains(subnet, address.address))
      found.push(`invalid ${what}: parent subnet ${pool.subnet} doesn't contain this address`);
  }
  return found;
}

function rangeProblems(
  text: string,
  range: { readonly subnet: Subnet; readonly address: bigint },
  parent: Subnet,
): string[] {
  if (range.subnet.family !== parent.family)
    return [`invalid ip-range ${text}: parent subnet is an IPv${parent.family} block`];
  const found: string[] = [];
  if (range.subnet.base !== range.address)
    found.push(`invalid ip-range ${text}: it should be ${formatSubnet(range.subnet)}`);
  if (range.subnet.prefixLength >= parent.prefixLength && !contains(parent, range.subnet.base))
    found.push(`invalid ip-range ${text}: parent subnet ${formatSubnet(parent)} doesn't contain ip-range`);
  if (range.subnet.prefixLength < parent.prefixLength)
    found.push(`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${formatSubnet(parent)}`);
  return found;
}

/** What a network asks for, with what the configuration it names says. `not-found` when there is none of that name. */
export function withConfiguration(spec: NetworkSpec, others: readonly StoredNetwork[]): NetworkSpec {
  if (spec.configFrom === "") return spec;
  const from = others.find(({ name, spec: other }) => name === spec.configFrom && other.configOnly);
  if (!from) throw new HavreError("not-found", `configuration network "${spec.configFrom}" does not exist`);
  const { ipam, options, labels, ipv6 } = from.spec;
  return { ...spec, ipam, options, labels: { ...labels, ...spec.labels }, ipv6 };
}

/** A pool with its gateway: the asked one, else the first address that containers could get (Docker's). */
export function completePool(pool: IpamPool): IpamPool {
  if (pool.gateway) return pool;
  const subnet = knownSubnet(pool.subnet);
  const from = pool.ipRange ? knownSubnet(pool.ipRange) : subnet;
  const others = new Set(Object.values(pool.auxiliary ?? {}).map((text) => parseAddress(text)?.address));
  for (let address = from.base; address <= lastOf(from); address++) {
    if (address === subnet.base || others.has(address)) continue;
    return { ...pool, gateway: formatAddress(subnet.family, address) };
  }
  return pool;
}
