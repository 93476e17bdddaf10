import type { NetworkNamespace } from "../../kernel/mod.ts";
import { hasNdots, type ResolverConfig, type ResolverOverrides } from "../resolv-conf.ts";
import { isOwnServer, type Upstream, upstreamsOf } from "../upstreams.ts";
import type { Membership } from "./answers.ts";
import { NameTable } from "./names.ts";
import { ContainerNameServer, type Outlook, type Surroundings } from "./server.ts";

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
}

interface Place {
  readonly namespace: NetworkNamespace;
  readonly server: ContainerNameServer;
  readonly listening: Promise<void>;
}

/** Resolvers use no more. */
const MAX_UPSTREAMS = 3;

/** The name servers of all containers on networks where containers have names: all but the default one. */
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

  #outlookOf({ containerId, endpoints }: NamedSandbox, named: readonly NamedEndpoint[]): Outlook {
    const { hostResolver, wishesOf, isInternal } = this.#options;
    const wishes = wishesOf(containerId);
    const ipv6 = endpoints.some(({ ipv6Address }) => ipv6Address !== "");
    const wayOut = endpoints.some(
      ({ networkId, gateway, ipv6Gateway }) => !isInternal(networkId) && (gateway !== "" || ipv6Gateway !== ""),
    );
    // Without a way out nothing is asked for it from the host either; a server on its own network it may reach itself.
    const usable = (one: Upstream) => !isOwnServer(one) && (wayOut || !one.fromHost);
    return {
      memberships: named.map(membershipOf),
      needsDot: hasNdots(wishes.options?.length ? wishes.options : hostResolver().options),
      upstreams: () => upstreamsOf(hostResolver(), wishes, ipv6).filter(usable).slice(0, MAX_UPSTREAMS),
    };
  }
}

/** Containers on the default network have no names there (Docker's). */
export function givesNames({ networkName }: Pick<NamedEndpoint, "networkName">): boolean {
  return networkName !== "bridge";
}

function membershipOf({ networkId, networkName, links }: NamedEndpoint): Membership {
  const pairs = links.map((link) => link.split(":").map((name) => name.toLowerCase()));
  return { networkId, networkName, links: new Map(pairs.map(([name = "", alias = name]) => [alias, name])) };
}
