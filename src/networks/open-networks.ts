import {
  type Clock,
  HavreError,
  type IdSource,
  isHavreError,
  KeyedMutex,
  type Logger,
  rfc3339Nano,
  toHavreError,
  Undoes,
} from "../base/mod.ts";
import { deleteLink, findLink, interfaceExists, type NetlinkSocket } from "../kernel/mod.ts";
import type { Store } from "../store/mod.ts";
import { BridgeDriver, bridgeOptions } from "./bridge/mod.ts";
import { settlePredefined } from "./default-network.ts";
import { describeEndpoint } from "./describe.ts";
import type { Driver } from "./driver.ts";
import { EgressKeeper } from "./egress/mod.ts";
import type { Endpoints } from "./endpoints.ts";
import { findNetwork } from "./find-network.ts";
import { type Rules, removeRules, rulesOf, tableName } from "./firewall.ts";
import { FirewallKeeper } from "./firewall-keeper.ts";
import { enableForwarding } from "./forwarding.ts";
import { MacvlanDriver } from "./macvlan/mod.ts";
import { Members } from "./members.ts";
import { type DriverName, type IpamPool, networkKind, type StoredNetwork } from "./model.ts";
import { poolOf } from "./network-addresses.ts";
import { choosePools } from "./network-pools.ts";
import { checkRequest, withConfiguration } from "./network-request.ts";
import { type NetworkInfo, type NetworkRequest, PREDEFINED } from "./networks.ts";
import { OpenNetwork } from "./open-network.ts";
import { DEFAULT_POOLS, type DefaultPool } from "./subnets.ts";

/** Sandboxes ready for the default network, and for another one that is in use. */
const DEFAULT_READY = 8;
const OTHERS_READY = 2;
/** Serialises making and removing networks. */
const NETWORKS = "networks";

export interface HostNetworksOptions {
  readonly store: Store;
  /** Name of the Linux bridge of the default network. */
  readonly bridge: string;
  /** CIDR of the default network; undefined: as before, or chosen among the default pools. */
  readonly subnet?: string;
  /** Where networks that ask for no subnet get one; undefined: Docker's. */
  readonly defaultPools?: readonly DefaultPool[];
  /** Containers of the default network reach services of the host by the bridge's address. */
  readonly hostAccess?: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  readonly newId: IdSource;
}

/** The networks of this host: as stored, as made on the host, and the rules between them. */
export class OpenNetworks {
  readonly #options: HostNetworksOptions;
  readonly #socket: NetlinkSocket;
  readonly #endpoints: Endpoints;
  readonly #nameservers: () => readonly string[];
  readonly #bridges: BridgeDriver;
  readonly #drivers: ReadonlyMap<DriverName, Driver>;
  readonly #locks = new KeyedMutex();
  readonly #open = new Map<string, OpenNetwork>();
  /** Why a network cannot be used. */
  readonly #failures = new Map<string, HavreError>();
  /** How many containers are on their way into a network. */
  readonly #joining = new Map<string, number>();
  readonly #orphans = new Set<string>();
  readonly #members: Members;
  /** What limited containers may reach. */
  readonly egress: EgressKeeper;
  #keeper: FirewallKeeper | undefined;

  /**
   * @param socket a netlink socket in the host's namespace.
   * @param nameservers the host's: no network may hide them.
   */
  constructor(
    options: HostNetworksOptions,
    socket: NetlinkSocket,
    endpoints: Endpoints,
    nameservers: () => readonly string[],
  ) {
    this.#options = options;
    this.#socket = socket;
    this.#endpoints = endpoints;
    this.#nameservers = nameservers;
    this.#members = new Members(tableName(options.bridge));
    this.egress = new EgressKeeper(options.bridge, options.log, options.clock);
    const owner = () => this.stored("bridge").id;
    const all = () => options.store.view((tx) => tx.list(networkKind));
    this.#bridges = new BridgeDriver(socket, owner);
    this.#drivers = new Map<DriverName, Driver>([
      ["bridge", this.#bridges],
      ["macvlan", new MacvlanDriver(socket, owner, all)],
    ]);
  }

  list(): readonly NetworkInfo[] {
    return this.#options.store.view((tx) => tx.list(networkKind)).map((network) => this.info(network));
  }

  /** By id, name, or unambiguous id prefix. */
  stored(ref: string): StoredNetwork {
    const { store } = this.#options;
    const exact = store.view((tx) => tx.get(networkKind, ref) ?? tx.find(networkKind, "name", ref)[0]);
    return (
      exact ??
      findNetwork(
        store.view((tx) => tx.list(networkKind)),
        ref,
      )
    );
  }

  /** As `stored`; undefined when there is none. */
  find(ref: string): StoredNetwork | undefined {
    try {
      return this.stored(ref);
    } catch (error) {
      if (isHavreError(error, "not-found")) return undefined;
      throw error;
    }
  }

  /** Undefined while it cannot be used. */
  get(id: string): OpenNetwork | undefined {
    return this.#open.get(id);
  }

  /** Interfaces of containers that are gone which the kernel has not deleted yet, those on removed networks among them. */
  leaving(): readonly string[] {
    for (const name of this.#orphans) if (!interfaceExists(name)) this.#orphans.delete(name);
    return [...this.all().flatMap(({ addresses }) => addresses.sweep(interfaceExists)), ...this.#orphans];
  }

  all(): readonly OpenNetwork[] {
    return [...this.#open.values()];
  }

  create(request: NetworkRequest): Promise<NetworkInfo> {
    const asked = checkRequest(request);
    return this.#locks.run(NETWORKS, () =>
      Undoes.run(async (undoes) => {
        const { store, clock, newId } = this.#options;
        const others = store.view((tx) => tx.list(networkKind));
        if (others.some(({ name }) => name === request.name))
          throw new HavreError("already-exists", `network with name ${request.name} already exists`);
        const spec = withConfiguration(asked, others);
        if (spec.configOnly) {
          const network: StoredNetwork = { id: newId(), name: request.name, created: clock.now(), spec, pools: [] };
          await store.update((tx) => tx.put(networkKind, network));
          return this.info(network);
        }
        const driver = this.#drivers.get(spec.driver);
        if (!driver) throw new HavreError("not-found", `plugin ${JSON.stringify(spec.driver)} not found`);
        driver.check(spec);
        const id = newId();
        const defaults = this.#options.defaultPools ?? DEFAULT_POOLS;
        const around = { others, defaults, socket: this.#socket, nameservers: this.#nameservers() };
        const pools = choosePools(spec, id, around);
        const network: StoredNetwork = { id, name: request.name, created: clock.now(), spec, pools };
        const open = this.#make(network, driver);
        undoes.add(() => open.remove());
        this.#forwardIpv6(pools);
        this.#open.set(id, open);
        undoes.add(() => this.#keeper?.change(this.#rules()));
        undoes.add(() => void this.#open.delete(id));
        await this.#keeper?.change(this.#rules());
        await store.update((tx) => tx.put(networkKind, network));
        return this.info(network);
      }),
    );
  }

  remove(ref: string): Promise<NetworkInfo> {
    return this.#locks.run(NETWORKS, async () => {
      const network = this.stored(ref);
      const { id, name } = network;
      if (PREDEFINED.includes(name))
        throw new HavreError("permission-denied", `${name} is a pre-defined network and cannot be removed`);
      const endpoints = this.#endpoints.ofNetwork(id);
      if (this.#joining.has(id) || endpoints.some(({ attached }) => attached)) {
        throw new HavreError(
          "permission-denied",
          `error while removing network: network ${name} id ${id} has active endpoints`,
          { hint: "Stop the containers on it, or disconnect them" },
        );
      }
      const info = this.info(network);
      const open = this.#open.get(id);
      this.#open.delete(id);
      this.#failures.delete(id);
      // From here on it is gone for all; what a kill leaves of it the next daemon finds.
      await this.#options.store.update((tx) => tx.delete(networkKind, id));
      for (const endpoint of endpoints) this.#endpoints.delete(endpoint.id);
      for (const name of open?.addresses.sweep(interfaceExists) ?? []) this.#orphans.add(name);
      open?.remove();
      await this.#keeper?.change(this.#rules());
      return info;
    });
  }

  /** Runs `work` with the open network; it is not removed meanwhile. Made again when someone has taken it off the host. */
  async using<T>(ref: string, work: (open: OpenNetwork) => Promise<T>): Promise<T> {
    const { id, name, spec } = this.stored(ref);
    const open = this.#open.get(id);
    if (spec.configOnly)
      throw new HavreError("permission-denied", "cannot create endpoint on configuration-only network");
    if (!open) throw this.#failures.get(id) ?? new HavreError("unavailable", `Network ${name} is not ready yet`);
    this.#joining.set(id, (this.#joining.get(id) ?? 0) + 1);
    try {
      if (!open.present()) open.reopen(this.#endpoints.ofNetwork(id));
      return await work(open);
    } finally {
      const left = (this.#joining.get(id) ?? 1) - 1;
      if (left === 0) this.#joining.delete(id);
      else this.#joining.set(id, left);
    }
  }

  /** Makes all that is stored on the host, or finds it, and the rules; removes what a killed daemon was making or removing. */
  async recover(): Promise<void> {
    const { store, log } = this.#options;
    await settlePredefined(this.#options, this.#endpoints, this.#socket, this.#nameservers());
    if (!enableForwarding(4))
      log.warn("IPv4 forwarding is off and could not be turned on: containers stay on this host");
    const networks = store.view((tx) => tx.list(networkKind));
    for (const { pools } of networks) this.#forwardIpv6(pools);
    this.#bridges.removeStrays(new Set(networks.map(({ id }) => id)));
    for (const network of networks) await this.#reopen(network);
    await this.#startKeeper();
  }

  /** Stops work; what is on the host stays. */
  async close(): Promise<void> {
    await this.#keeper?.close();
    for (const open of this.#open.values()) open.close();
    await this.egress.close();
    this.#members[Symbol.dispose]();
  }

  /** Takes everything off the host; the networks stay stored. */
  async tearDown(): Promise<void> {
    await this.close();
    for (const open of this.#open.values()) await open.freeStrays(new Set());
    await removeRules(this.#options.bridge);
    for (const open of this.#open.values()) open.remove();
    for (const name of this.leaving()) {
      if (findLink(this.#socket, name)) this.#socket.transact([deleteLink(name)]);
    }
  }

  info(network: StoredNetwork): NetworkInfo {
    const endpoints = this.#endpoints;
    return {
      ...network.spec,
      id: network.id,
      name: network.name,
      created: rfc3339Nano(network.created),
      pools: network.pools,
      // Made when asked for: most who look up a network want its name or gateway, and there may be hundreds of these.
      get endpoints() {
        const attached = endpoints.ofNetwork(network.id).filter((one) => one.attached);
        return new Map(attached.map((stored) => [stored.containerId, describeEndpoint(stored, network)]));
      },
    };
  }

  #make(network: StoredNetwork, driver: Driver): OpenNetwork {
    const { log, clock } = this.#options;
    return new OpenNetwork({
      network,
      driver,
      endpoints: this.#endpoints.ofNetwork(network.id),
      ready: network.name === "bridge" ? DEFAULT_READY : OTHERS_READY,
      log,
      clock,
      socket: this.#socket,
      members: this.#members,
      egress: this.egress,
      alone: network.spec.driver === "bridge" && !bridgeOptions(network).icc,
    });
  }

  #forwardIpv6(pools: readonly IpamPool[]): void {
    if (!poolOf(pools, 6) || enableForwarding(6)) return;
    this.#options.log.warn("IPv6 forwarding is off and could not be turned on: IPv6 stays on this host");
  }

  /** A network that cannot be made does not keep the others' containers from running. */
  async #reopen(network: StoredNetwork): Promise<void> {
    const driver = this.#drivers.get(network.spec.driver);
    if (!driver) return;
    this.#open.get(network.id)?.close();
    this.#open.delete(network.id);
    this.#failures.delete(network.id);
    try {
      const open = this.#make(network, driver);
      const mine = this.#endpoints.ofNetwork(network.id).filter(({ attached }) => attached);
      await open.freeStrays(new Set(mine.map(({ hostInterface }) => hostInterface)));
      this.#open.set(network.id, open);
      if (network.name === "bridge") open.refillSoon();
    } catch (failure) {
      const error = toHavreError(failure);
      if (network.name === "bridge") throw error;
      this.#failures.set(network.id, error);
      this.#options.log.error("A network cannot be used", { network: network.name, error, hint: error.hint });
    }
  }

  /** A program that is not installed must not keep containers without a network from running. */
  async #startKeeper(): Promise<void> {
    try {
      await this.#keeper?.close();
      await this.egress.open();
      this.#keeper = await FirewallKeeper.start(this.#rules(), this.#options.log);
    } catch (error) {
      if (!isHavreError(error, "unavailable")) throw error;
      for (const [id, open] of this.#open) {
        open.close();
        this.#failures.set(id, error);
      }
      this.#open.clear();
      this.#options.log.error("Networks cannot be used", { error, hint: error.hint });
    }
  }

  #rules(): Rules {
    const bridges = this.all().filter(({ network }) => network.spec.driver === "bridge");
    return {
      owner: this.#options.bridge,
      bridges: bridges.map(({ network }) => rulesOf(network)),
      members: this.#members,
    };
  }
}
