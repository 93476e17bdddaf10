import type { EgressKeeper, EgressRefusals } from "./egress/mod.ts";
import type { Endpoints } from "./endpoints.ts";

/** What limited containers learn, ask for and are refused beyond their own networks, by container. */
export class Outbound {
  readonly #endpoints: Endpoints;
  readonly #keeper: EgressKeeper;

  constructor(endpoints: Endpoints, keeper: EgressKeeper) {
    this.#endpoints = endpoints;
    this.#keeper = keeper;
  }

  /** A name server tells a container this of a name that it may reach; `ttl` in seconds. To be called before the answer is given. */
  learn(containerId: string, name: string, addresses: readonly string[], ttl: number): void {
    this.#keeper.learn(this.#interfacesOf(containerId), name, addresses, ttl);
  }

  /** A name server refuses a container this name. */
  refuseName(containerId: string, name: string): void {
    this.#keeper.refuseName(containerId, name);
  }

  /**
   * What a container tried to reach between two times (milliseconds since the epoch), though it was not granted that. Of its last
   * day at most; names only since the daemon started.
   */
  refusalsOf(containerId: string, since: number, until: number): Promise<EgressRefusals> {
    const addresses = this.#endpoints
      .ofContainer(containerId)
      .flatMap(({ ipAddress, ipv6Address, linkLocal = [] }) => [ipAddress, ipv6Address, ...linkLocal]);
    return this.#keeper.refusals(containerId, this.#interfacesOf(containerId), addresses, since, until);
  }

  #interfacesOf(containerId: string): readonly string[] {
    return this.#endpoints.ofContainer(containerId).map(({ hostInterface }) => hostInterface);
  }
}
