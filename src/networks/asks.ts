import { HavreError } from "../base/mod.ts";
import { contains, knownSubnet, parseAddress, parseMac } from "./ip.ts";
import type { StoredNetwork } from "./model.ts";
import type { Given } from "./network-addresses.ts";
import type { EndpointAsk } from "./networks.ts";

/** The addresses that a container asks for. `invalid-argument` with Docker's texts. */
export function wantedOf({ ipv4, ipv6 }: EndpointAsk, { name, spec, pools }: StoredNetwork): Partial<Given> {
  const problems: string[] = [];
  const parse = (family: 4 | 6, text: string | undefined) => {
    if (text === undefined || text === "") return undefined;
    const parsed = parseAddress(text);
    if (parsed?.family !== family) {
      problems.push(`invalid IPv${family} address: ${text}`);
      return undefined;
    }
    const subnets = pools.map(({ subnet }) => knownSubnet(subnet)).filter((subnet) => subnet.family === family);
    if (!spec.ipam.pools.some(({ subnet }) => subnet !== "" && knownSubnet(subnet).family === family))
      problems.push(
        "user specified IP address is supported only when connecting to networks with user configured subnets",
      );
    else if (!subnets.some((subnet) => contains(subnet, parsed.address)))
      problems.push(`no configured subnet contains IP address ${text}`);
    return parsed.address;
  };
  const [four, six] = [parse(4, ipv4), parse(6, ipv6)];
  if (problems.length > 0) {
    const list = problems.length === 1 ? problems.join("") : problems.map((text) => `* ${text}`).join("\n");
    throw new HavreError("invalid-argument", `invalid config for network ${name}: invalid endpoint settings:\n${list}`);
  }
  return { ...(four === undefined ? {} : { ipv4: four }), ...(six === undefined ? {} : { ipv6: six }) };
}

export function wantedMac({ macAddress }: EndpointAsk): Uint8Array | undefined {
  return macAddress ? parseMac(macAddress) : undefined;
}
