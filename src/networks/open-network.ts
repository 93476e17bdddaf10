import { type Clock, HavreError, type Logger } from "../base/mod.ts";
import { deleteLink, interfaceExists, type NetlinkSocket, type NetworkNamespace, setLink } from "../kernel/mod.ts";
import { bridgeOptions } from "./bridge/mod.ts";
import type { Driver, Plugged, Segment } from "./driver.ts";
import { type Egress, type EgressKeeper, isLimited } from "./egress/mod.ts";
import { addressBytes, macBytes, parseAddress, parseMac } from "./ip.ts";
import { limitedPlace, opened, refuseUnlimited } from "./limits.ts";
import type { Members } from "./members.ts";
import type { IpamPool, StoredEndpoint, StoredNetwork } from "./model.ts";
import { type Given, givenOf, NetworkAddresses, poolOf } from "./network-addresses.ts";
import { ReadyPool } from "./ready-pool.ts";
import { addLinkLocal, freeInterfaceName, makeSandbox, readdress, setDefaultRoutes, socketIn } from "./sandboxes.ts";

/** Longest wait for the kernel to delete interfaces whose addresses are wanted: a restarting container's own, or the last there are. */
const LEAVING_PATIENCE_MS = 250;
const LEAVING_POLL_MS = 2;
/** How long interfaces of a killed daemon get to disappear by themselves. */
const ORPHAN_PATIENCE_MS = 500;

/** A namespace with one interface in a network, everything set: a container can start in it as it is. */
export interface ReadySandbox {
  readonly namespace: NetworkNamespace;
  readonly given: Given;
  readonly plugged: Plugged;
  /** Packets went through already when it was made. */
  readonly operational: boolean;
}

/** What a container wants of a network. */
export interface Wish {
  /** Addresses asked for. */
  readonly wanted: Partial<Given>;
  /** Addresses it had and has again if they are free. */
  readonly former: Given | undefined;
  readonly mac: Uint8Array | undefined;
  /** Further addresses that hold on this network only. */
  readonly linkLocal: readonly string[];
  readonly hostAccess: boolean;
  /** What it may reach outside its networks; undefined: everything. */
  readonly egress: Egress | undefined;
}

/** What a container got of a network. */
export interface Joined {
  readonly given: Given;
  readonly plugged: Plugged;
  readonly interfaceName: string;
  readonly mac: Uint8Array;
}

export interface OpenNetworkOptions {
  readonly network: StoredNetwork;
  readonly driver: Driver;
  /** All endpoints of this network. */
  readonly endpoints: readonly StoredEndpoint[];
  /** Sandboxes to have ready. */
  readonly ready: number;
  readonly log: Logger;
  readonly clock: Clock;
  /** A netlink socket in the host's namespace. */
  readonly socket: NetlinkSocket;
  /** Whom the rules know. */
  readonly members: Members;
  /** Who is limited outside its networks. */
  readonly egress: EgressKeeper;
  /** Containers must not reach each other. */
  readonly alone: boolean;
}

/** A network in use on this host: what it is plugged into, who has which address, and sandboxes joined to it ahead of need. */
export class OpenNetwork {
  readonly network: StoredNetwork;
  readonly addresses: NetworkAddresses;
  readonly #options: OpenNetworkOptions;
  readonly #pool: ReadyPool<ReadySandbox>;
  readonly #prefix: string;
  #segment: Segment;

  /** Makes the network on the host, or finds it; addresses of attached containers are taken. */
  constructor(options: OpenNetworkOptions) {
    const { network, driver, endpoints, ready, log } = options;
    this.#options = options;
    this.network = network;
    this.#prefix = network.spec.driver === "bridge" ? bridgeOptions(network).interfacePrefix : "eth";
    this.#segment = driver.open(network, hostInterfaces(endpoints));
    this.addresses = new NetworkAddresses(network.pools);
    for (const endpoint of endpoints) {
      if (endpoint.attached) {
        this.addresses.claim(onlyPresent(givenOf(endpoint)), interfaceExists);
        void this.#admit(endpoint, parseMac(endpoint.macAddress), givenOf(endpoint), endpoint);
      } else this.addresses.keep(givenOf(endpoint), endpoint.containerId);
    }
    this.#pool = new ReadyPool({
      target: driver.pooled ? Math.min(ready, Math.floor(this.addresses.capacity / 4)) : 0,
      low: Math.ceil(ready / 4),
      make: () => this.#make(),
      discard: (sandbox) => this.#discard(sandbox),
      failed: (error) => log.warn("Could not prepare a network sandbox", { network: network.name, error }),
    });
  }

  /** The interface that a sandbox has from the beginning. */
  get #first(): string {
    return `${this.#prefix}0`;
  }

  /** Addresses of the routers by which packets leave; none where there is no way out. */
  gateways(): readonly Uint8Array[] {
    return gatewaysOf(this.network);
  }

  present(): boolean {
    return this.#segment.present();
  }

  /** Makes again what someone took off the host. */
  reopen(endpoints: readonly StoredEndpoint[]): void {
    this.#pool.discardAll();
    this.#segment = this.#options.driver.open(this.network, hostInterfaces(endpoints));
    this.#pool.refillSoon();
  }

  refillSoon(): void {
    this.#pool.refillSoon();
  }

  /** A namespace of its own for a container, joined to this network. */
  async takeSandbox({
    wanted,
    former,
    mac,
    linkLocal,
    hostAccess,
    egress,
  }: Wish): Promise<Joined & { readonly namespace: NetworkNamespace }> {
    refuseUnlimited(this.network, egress);
    const given = await this.#addressesFor(wanted, former);
    const sandbox = given === undefined ? await this.#anySandbox() : this.#sandboxAt(given);
    const { namespace, plugged } = sandbox;
    const interfaceMac = mac ?? macOf(sandbox.given);
    try {
      if (mac !== undefined) within(namespace, (inside) => inside.transact([setLink(this.#first, { mac })]));
      if (linkLocal.length > 0) within(namespace, (inside) => addLinkLocal(inside, this.#first, linkLocal));
      if (mac !== undefined || hostAccess || linkLocal.length > 0 || egress)
        await this.#admit(plugged, interfaceMac, sandbox.given, { hostAccess, linkLocal, egress });
      if (!sandbox.operational) await this.#untilOperational(namespace, plugged, this.#first);
      return { ...sandbox, interfaceName: this.#first, mac: interfaceMac };
    } catch (error) {
      this.#discard(sandbox);
      throw error;
    }
  }

  /** Joins a namespace that has other interfaces already. */
  async join(namespace: NetworkNamespace, wish: Wish): Promise<Joined> {
    const { wanted, former, mac, linkLocal, hostAccess, egress } = wish;
    refuseUnlimited(this.network, egress);
    const given = (await this.#addressesFor(wanted, former)) ?? (await this.#anyAddresses());
    const interfaceMac = mac ?? macOf(given);
    let plugged: Plugged | undefined;
    try {
      const interfaceName = within(namespace, (inside) => {
        const name = freeInterfaceName(inside, this.#prefix);
        const wantedInterface = { name, mac: interfaceMac, addresses: this.addresses.forInterface(given) };
        plugged = this.#segment.plug(namespace, inside, wantedInterface);
        addLinkLocal(inside, name, linkLocal);
        return name;
      });
      if (!plugged) throw new HavreError("internal", "Nothing was plugged in");
      await this.#admit(plugged, interfaceMac, given, { hostAccess, linkLocal, egress });
      await this.#untilOperational(namespace, plugged, interfaceName);
      return { given, plugged, interfaceName, mac: interfaceMac };
    } catch (error) {
      this.#free(given, plugged, undefined);
      throw error;
    }
  }

  /** A container gives its place back; the addresses are kept for `keptFor` as long as others are free. */
  release(endpoint: StoredEndpoint, keptFor: string | undefined): void {
    this.#free(givenOf(endpoint), endpoint, keptFor);
  }

  /** Stops work and lets go of what is ready. */
  close(): void {
    this.#pool.close();
  }

  /** Takes the network off the host for good. */
  remove(): void {
    this.close();
    this.#segment.remove();
  }

  /** Waits for interfaces that belong to nobody to go, and deletes those that stay. */
  async freeStrays(mine: ReadonlySet<string>): Promise<void> {
    const { clock, log, socket } = this.#options;
    const deadline = clock.now() + ORPHAN_PATIENCE_MS;
    let strays = this.#segment.strays(mine);
    while (strays.length > 0 && clock.now() < deadline) {
      await clock.sleep(5);
      strays = this.#segment.strays(mine);
    }
    for (const { name, index } of strays) {
      log.info("Deleting an interface that belongs to no container", { name });
      try {
        socket.transact([deleteLink(index)]);
      } catch (error) {
        if (interfaceExists(name)) throw error;
      }
    }
  }

  /** The asked addresses, else the former ones if they are free; undefined: any will do. */
  async #addressesFor(wanted: Partial<Given>, former: Given | undefined): Promise<Given | undefined> {
    if (wanted.ipv4 === undefined && wanted.ipv6 === undefined) {
      if (!former) return undefined;
      const claim = await this.#claim(onlyPresent(former));
      return typeof claim === "string" ? undefined : claim;
    }
    // One that lies ready with the address is given up for it.
    this.#pool.discardWhere(
      ({ given }) =>
        (wanted.ipv4 !== undefined && given.ipv4 === wanted.ipv4) ||
        (wanted.ipv6 !== undefined && given.ipv6 === wanted.ipv6),
    );
    const claim = await this.#claim(wanted);
    if (typeof claim !== "string") return claim;
    if (claim === "no-ipv4" || claim === "no-ipv6") throw this.#exhausted(claim);
    throw claim === "outside"
      ? new HavreError("failed-precondition", "Invalid address: It does not belong to any of this network's subnets")
      : new HavreError("permission-denied", "Address already in use");
  }

  /** An address whose former interface the kernel is slow to delete is not refused: the interface is deleted outright. */
  async #claim(wanted: Partial<Given>): Promise<ReturnType<NetworkAddresses["claim"]>> {
    const claim = await this.#patiently(() => {
      const answer = this.addresses.claim(wanted, interfaceExists);
      return answer === "leaving" ? undefined : answer;
    });
    if (claim !== undefined) return claim;
    for (const name of this.addresses.leavingAt(wanted)) {
      try {
        this.#options.socket.transact([deleteLink(name)]);
      } catch (error) {
        if (interfaceExists(name)) throw error;
      }
    }
    return this.addresses.claim(wanted, interfaceExists);
  }

  #sandboxAt(given: Given): ReadySandbox {
    const ready = this.#pool.take();
    try {
      if (!ready) return this.#makeAt(given);
      within(ready.namespace, (inside) => {
        readdress(inside, this.#first, macOf(given), this.addresses.forInterface(given));
        setDefaultRoutes(inside, this.gateways());
      });
      this.addresses.release(ready.given, undefined, undefined);
      void this.#admit(ready.plugged, macOf(given), given);
      return { ...ready, given };
    } catch (error) {
      this.addresses.release(given, undefined, undefined);
      if (ready) this.#discard(ready);
      throw error;
    }
  }

  async #anySandbox(): Promise<ReadySandbox> {
    const ready = this.#pool.take();
    if (ready) return ready;
    // The last free address may go meanwhile to one that is made ready.
    const found = await this.#patiently(() => (this.#pool.size > 0 ? this.#pool.take() : this.#freeAddresses()));
    if (found === undefined || typeof found === "string") throw this.#exhausted(found ?? "no-ipv4");
    return "namespace" in found ? found : this.#makeAt(found);
  }

  async #anyAddresses(): Promise<Given> {
    const given = await this.#patiently(() => this.#freeAddresses());
    if (given === undefined || typeof given === "string") throw this.#exhausted(given ?? "no-ipv4");
    return given;
  }

  /** undefined: some are about to be free. */
  #freeAddresses(): ReturnType<NetworkAddresses["take"]> | undefined {
    // Swept first: an interface may go between the two looks, and its address would then seem to be nowhere.
    const hopeless = this.addresses.sweep(interfaceExists).length === 0;
    const taken = this.addresses.take(interfaceExists);
    return typeof taken === "string" && !hopeless ? undefined : taken;
  }

  #exhausted(which: "no-ipv4" | "no-ipv6"): HavreError {
    const { id, name } = this.network;
    const family = which === "no-ipv4" ? "IPv4" : "IPv6";
    return new HavreError(
      "resource-exhausted",
      `no available ${family} addresses on this network's address pools: ${name} (${id})`,
      { hint: "Remove containers, or use a larger subnet" },
    );
  }

  #make(): ReadySandbox | undefined {
    const given = this.addresses.take(interfaceExists);
    return typeof given === "string" ? undefined : this.#makeAt(given);
  }

  #makeAt(given: Given): ReadySandbox {
    try {
      const { namespace, socket } = makeSandbox();
      try {
        const addresses = this.addresses.forInterface(given);
        const plugged = this.#segment.plug(namespace, socket, { name: this.#first, mac: macOf(given), addresses });
        setDefaultRoutes(socket, this.gateways());
        void this.#admit(plugged, macOf(given), given);
        return { namespace, given, plugged, operational: this.#segment.operational(plugged, socket, this.#first) };
      } catch (error) {
        namespace[Symbol.dispose]();
        throw error;
      } finally {
        socket[Symbol.dispose]();
      }
    } catch (error) {
      this.addresses.release(given, undefined, undefined);
      throw error;
    }
  }

  #discard({ namespace, given, plugged }: ReadySandbox): void {
    namespace[Symbol.dispose]();
    this.#free(given, plugged, undefined);
  }

  #free(given: Given, plugged: Plugged | undefined, keptFor: string | undefined): void {
    const hostInterface = plugged?.hostInterface || undefined;
    this.addresses.release(given, hostInterface, keptFor);
    if (hostInterface === undefined) return;
    this.#options.members.dismiss(hostInterface);
    this.#options.egress.dismiss(hostInterface);
  }

  /** From here on the interface sends as who it is, and as nobody else; and only where it may. */
  async #admit(
    { hostInterface }: Plugged,
    mac: Uint8Array,
    given: Given,
    { hostAccess = false, linkLocal = [], egress }: Partial<Pick<Wish, "hostAccess" | "linkLocal" | "egress">> = {},
  ): Promise<void> {
    if (hostInterface === "") return;
    const { members, egress: keeper, alone } = this.#options;
    members.admit({ hostInterface, mac, given, linkLocal, alone, ...opened(this.network, hostAccess, egress) });
    if (!isLimited(egress)) return keeper.dismiss(hostInterface);
    await keeper.admit(limitedPlace(this.network, { hostInterface, mac, given, linkLocal, egress }));
  }

  /** A name server's lost answer costs a program five seconds. */
  async #untilOperational(namespace: NetworkNamespace, plugged: Plugged, name: string): Promise<void> {
    using inside = socketIn(namespace);
    await this.#patiently(() => this.#segment.operational(plugged, inside, name) || undefined);
  }

  /** Asks until there is an answer or the kernel had time enough to delete what is in the way. */
  async #patiently<T>(ask: () => T | undefined): Promise<T | undefined> {
    const { clock } = this.#options;
    const deadline = clock.now() + LEAVING_PATIENCE_MS;
    let answer = ask();
    while (answer === undefined && clock.now() < deadline) {
      await clock.sleep(LEAVING_POLL_MS);
      answer = ask();
    }
    return answer;
  }
}

function within<T>(namespace: NetworkNamespace, work: (inside: NetlinkSocket) => T): T {
  using inside = socketIn(namespace);
  return work(inside);
}

/** Docker's: made from the IPv4 address, so that neighbours that remember one remember the other rightly. */
function macOf({ ipv4, ipv6 }: Given): Uint8Array {
  return macBytes(ipv4 ?? (ipv6 ?? 0n) & 0xffffffffn);
}

function gatewaysOf({ spec, pools }: StoredNetwork): readonly Uint8Array[] {
  if (spec.internal) return [];
  const families = [poolOf(pools, 4), poolOf(pools, 6)] as readonly (IpamPool | undefined)[];
  return families.flatMap((pool) => {
    const gateway = parseAddress(pool?.gateway ?? "");
    return gateway ? [addressBytes(gateway.family, gateway.address)] : [];
  });
}

function hostInterfaces(endpoints: readonly StoredEndpoint[]): ReadonlySet<string> {
  return new Set(endpoints.filter(({ attached }) => attached).map(({ hostInterface }) => hostInterface));
}

function onlyPresent({ ipv4, ipv6 }: Given): Partial<Given> {
  return { ...(ipv4 === undefined ? {} : { ipv4 }), ...(ipv6 === undefined ? {} : { ipv6 }) };
}
