import type { NetworkNamespace } from "../../kernel/mod.ts";
import { type Egress, isLimited, matchesName } from "../egress/mod.ts";
import { addressFromBytes, contains, formatAddress, parseAddress, type Subnet, subnetOf } from "../ip.ts";
import { hasNdots, type ResolverConfig, type ResolverOverrides } from "../resolv-conf.ts";
import { isLoopback, isOwnServer, type Upstream, upstreamsOf } from "../upstreams.ts";
import type { Membership } from "./answers.ts";
import { NameTable } from "./names.ts";
import { ContainerNameServer, type NameGate, type Outlook, type Surroundings } from "./server.ts";

/** A container's place on a network, as far as names go. Empty addresses are none. */
export interface NamedEndpoint {
  readonly networkId: string;
  readonly networkName: string;
  readonly ipAddress: string;
  readonly ipv6Address: string;
  readonly gateway: string;
  readonly ipv6Gateway: string;
  readonly dnsNames: readonly string[];
  /** `container:alias`. */
  readonly links: readonly string[];
  /** Of its subnets. */
  readonly prefixLength: number;
  readonly ipv6PrefixLength: number;
  /** What the container may reach outside its networks; absent: everything. */
  readonly egress?: Egress;
}

export interface NamedSandbox {
  readonly containerId: string;
  /** Open until `detached`. */
  readonly namespace: NetworkNamespace;
  readonly endpoints: readonly NamedEndpoint[];
}

export interface NameServersOptions extends Omit<Surroundings, "names" | "underWay"> {
  /** The host's resolver, as it is now. */
  readonly hostResolver: () => ResolverConfig;
  /** What a container asks for instead. */
  readonly wishesOf: (containerId: string) => ResolverOverrides;
  /** Whether a network has no way out. */
  readonly isInternal: (networkId: string) => boolean;
  /** Hears what containers learn that may not reach everything, before they do; `ttl` in seconds. */
  readonly egress: {
    learn(containerId: string, name: string, addresses: readonly string[], ttl: number): void;
    refuseName(containerId: string, name: string): void;
  };
}

interface Place {
  readonly namespace: NetworkNamespace;
  readonly server: ContainerNameServer;
  readonly listening: Promise<void>;
}

/** Resolvers use no more. */
const MAX_UPSTREAMS = 3;

/**
 * The name servers of all containers on networks where containers have names, all but the default one; and of those that may not
 * reach everything, wherever they are: what they may reach is told by names too.
 */
export class NameServers {
  readonly #options: NameServersOptions;
  readonly #names = new NameTable();
  readonly #surroundings: Surroundings;
  readonly #places = new Map<string, Place>();

  constructor(options: NameServersOptions) {
    this.#options = options;
    this.#surroundings = { ...options, names: this.#names, underWay: { count: 0 } };
  }

  /**
   * Makes a container's names known and answers its questions. To be called again when its networks or names change, and by
   * a new daemon for each that runs.
   */
  async attached(sandbox: NamedSandbox): Promise<void> {
    const { containerId, namespace } = sandbox;
    if (this.#places.get(containerId)?.namespace !== namespace) this.detached(containerId);
    const named = sandbox.endpoints.filter(givesNames);
    this.#names.set(
      containerId,
      named.map(({ networkId, dnsNames, ipAddress, ipv6Address }) => ({
        networkId,
        names: dnsNames,
        addresses: [ipAddress, ipv6Address].filter((address) => address !== ""),
      })),
    );
    const outlook = this.#outlookOf(sandbox, named);
    const place = this.#places.get(containerId);
    if (place) {
      place.server.outlook = outlook;
      await place.listening;
    } else if (named.length > 0) {
      const server = new ContainerNameServer(namespace, outlook, this.#surroundings);
      const listening = server.listen();
      this.#places.set(containerId, { namespace, server, listening });
      try {
        await listening;
      } catch (error) {
        if (this.#places.get(containerId)?.server === server) this.#places.delete(containerId);
        throw error;
      }
    }
  }

  detached(containerId: string): void {
    this.#names.delete(containerId);
    this.#places.get(containerId)?.server[Symbol.dispose]();
    this.#places.delete(containerId);
  }

  /** Stops answering; containers' questions wait for the next daemon. */
  close(): void {
    for (const containerId of [...this.#places.keys()]) this.detached(containerId);
  }

  #gateOf(containerId: string, { rules }: Egress): NameGate {
    const { egress } = this.#options;
    return {
      allows: (name) => rules.some(({ host }) => matchesName(host, name)),
      learn: (name, addresses, ttl) => {
        const texts = addresses.map((bytes) => formatAddress(bytes.byteLength === 4 ? 4 : 6, addressFromBytes(bytes)));
        egress.learn(containerId, name, texts, ttl);
      },
      // A program that wants the name behind an address was not kept from reaching anything.
      refuse: (name) => {
        if (!name.endsWith(".arpa")) egress.refuseName(containerId, name);
      },
    };
  }

  #outlookOf({ containerId, endpoints }: NamedSandbox, named: readonly NamedEndpoint[]): Outlook {
    const { hostResolver, wishesOf, isInternal } = this.#options;
    const wishes = wishesOf(containerId);
    const ipv6 = endpoints.some(({ ipv6Address }) => ipv6Address !== "");
    const wayOut = endpoints.some(
      ({ networkId, gateway, ipv6Gateway }) => !isInternal(networkId) && (gateway !== "" || ipv6Gateway !== ""),
    );
    // Without a way out nothing is asked for it from the host either; a server on its own network it may reach itself.
    const limited = endpoints.find(({ egress }) => isLimited(egress))?.egress;
    // Not from its namespace: servers are not what it may reach. One on its own network it may.
    const own = endpoints.flatMap(subnetsOf);
    const isNear = (address: string) => isLoopback(address) || own.some((subnet) => isWithin(subnet, address));
    const from = (one: Upstream) => (limited && wayOut && !isNear(one.address) ? { ...one, fromHost: true } : one);
    const usable = (one: Upstream) => !isOwnServer(one) && (wayOut || !one.fromHost);
    return {
      memberships: named.map(membershipOf),
      needsDot: hasNdots(wishes.options?.length ? wishes.options : hostResolver().options),
      upstreams: () => upstreamsOf(hostResolver(), wishes, ipv6).filter(usable).map(from).slice(0, MAX_UPSTREAMS),
      ...(limited ? { gate: this.#gateOf(containerId, limited) } : {}),
    };
  }
}

/** Containers on the default network have no names there (Docker's), nor a server, unless they may not reach everything. */
export function givesNames({ networkName, egress }: Pick<NamedEndpoint, "networkName" | "egress">): boolean {
  return networkName !== "bridge" || isLimited(egress);
}

function subnetsOf(endpoint: NamedEndpoint): readonly Subnet[] {
  const { ipAddress, prefixLength, ipv6Address, ipv6PrefixLength } = endpoint;
  return [[ipAddress, prefixLength] as const, [ipv6Address, ipv6PrefixLength] as const].flatMap(([text, length]) => {
    const parsed = parseAddress(text);
    return parsed ? [subnetOf(parsed.family, parsed.address, length)] : [];
  });
}

function isWithin(subnet: Subnet, text: string): boolean {
  const parsed = parseAddress(text);
  return parsed?.family === subnet.family && contains(subnet, parsed.address);
}

function membershipOf({ networkId, networkName, links }: NamedEndpoint): Membership {
  const pairs = links.map((link) => link.split(":").map((name) => name.toLowerCase()));
  return { networkId, networkName, links: new Map(pairs.map(([name = "", alias = name]) => [alias, name])) };
}
