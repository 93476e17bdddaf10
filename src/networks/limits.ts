import { HavreError } from "../base/mod.ts";
import { bridgeOptions } from "./bridge/mod.ts";
import { type Egress, isLimited, type LimitedPlace, namedExactly } from "./egress/mod.ts";
import { knownSubnet, parseAddress, type Subnet, subnetOf } from "./ip.ts";
import type { Member } from "./members.ts";
import type { StoredNetwork } from "./model.ts";

/** What no container reaches beyond the host unless it names it: a cloud's metadata among it. */
const LINK_LOCAL_SUBNETS = ["169.254.0.0/16", "fd00:ec2::254/128"].map(knownSubnet);

/** `permission-denied` for a limited container on a network whose traffic does not pass the host: it cannot be limited there. */
export function refuseUnlimited({ name, spec }: StoredNetwork, egress: Egress | undefined): void {
  if (spec.driver === "bridge" || !isLimited(egress)) return;
  throw new HavreError(
    "permission-denied",
    `Network ${name} (${spec.driver}) carries a container's traffic past the host, so what leaves it cannot be limited. To allow it: --grant egress:any`,
  );
}

/** What a container on a network reaches that is shut to others: what it names by its address. */
export function opened(
  network: StoredNetwork,
  hostAccess: boolean,
  egress: Egress | undefined,
): Pick<Member, "hostAccess" | "reachesLinkLocal"> {
  return {
    hostAccess: hostAccess || namedExactly(egress, gatewaySubnets(network)).length > 0,
    reachesLinkLocal: namedExactly(egress, LINK_LOCAL_SUBNETS),
  };
}

/** A limited container's place on a bridge network. */
export function limitedPlace(
  network: StoredNetwork,
  {
    hostInterface,
    mac,
    given: { ipv4, ipv6 },
    linkLocal,
    egress,
  }: Pick<Member, "hostInterface" | "mac" | "given" | "linkLocal"> & { readonly egress: Egress },
): LimitedPlace {
  return {
    hostInterface,
    bridge: bridgeOptions(network).name,
    mac,
    addresses: [
      ...(ipv4 === undefined ? [] : [{ family: 4 as const, address: ipv4 }]),
      ...(ipv6 === undefined ? [] : [{ family: 6 as const, address: ipv6 }]),
      ...linkLocal.flatMap((text) => parseAddress(text) ?? []),
    ],
    subnets: network.pools.map(({ subnet }) => knownSubnet(subnet)),
    egress,
  };
}

function gatewaySubnets({ pools }: StoredNetwork): readonly Subnet[] {
  return pools.flatMap(({ gateway }) => {
    const parsed = parseAddress(gateway ?? "");
    return parsed ? [subnetOf(parsed.family, parsed.address, parsed.family === 4 ? 32 : 128)] : [];
  });
}
