import { randomBytes } from "node:crypto";
import { HavreError } from "../base/mod.ts";
import { deleteLink, interfaceExists, listLinks, type NetlinkSocket, setLink } from "../kernel/mod.ts";
import { AddressPool } from "./addresses.ts";
import { bridgePorts, chooseSubnet, enableForwarding, ensureBridge, subnetOfBridge } from "./bridge.ts";
import type { Endpoints } from "./endpoints.ts";
import { FirewallKeeper } from "./firewall-keeper.ts";
import type { HostNetworksOptions } from "./host-networks.ts";
import { formatIpv4, formatSubnet, type Ipv4, parseIpv4, parseSubnet, type Subnet } from "./ipv4.ts";
import { networkKind, type StoredNetwork } from "./model.ts";
import { ReadyPool } from "./ready-pool.ts";
import { makeWiredSandbox, readdress, type WiredSandbox, type Wiring } from "./sandboxes.ts";

const POOL = 8;
const MTU = 1500;
/** How long interfaces of a killed daemon get to disappear by themselves. */
const ORPHAN_PATIENCE_MS = 500;

/** The default network: its bridge, who has which address, and sandboxes joined to it ahead of need. */
export class BridgeNetwork {
  readonly network: StoredNetwork;
  readonly wiring: Wiring;
  readonly addresses: AddressPool;
  readonly pool: ReadyPool<WiredSandbox>;
  readonly #options: HostNetworksOptions;
  readonly #endpoints: Endpoints;
  readonly #socket: NetlinkSocket;
  readonly #keeper: FirewallKeeper;

  /** Brings bridge and rules into being, or finds them; addresses of attached containers are taken. */
  static async open(
    options: HostNetworksOptions,
    endpoints: Endpoints,
    socket: NetlinkSocket,
    nameservers: readonly string[],
  ): Promise<BridgeNetwork> {
    const { store, bridge, log } = options;
    const { subnet, gateway } = await settle(options, endpoints, socket, nameservers);
    const network = store.view((tx) => tx.find(networkKind, "name", "bridge")[0]);
    if (!network) throw new HavreError("internal", "The default network was not stored");
    const owner = `havre ${network.id}`;
    const bridgeIndex = ensureBridge(socket, { name: bridge, subnet, gateway, mtu: MTU, owner });
    rejoin(socket, bridgeIndex, endpoints);
    if (!enableForwarding())
      log.warn("IPv4 forwarding is off and could not be turned on: containers stay on this host");
    const keeper = await FirewallKeeper.start({ bridge, subnet, gateway }, log);
    return new BridgeNetwork(options, endpoints, socket, network, { bridgeIndex, subnet, gateway, mtu: MTU }, keeper);
  }

  private constructor(
    options: HostNetworksOptions,
    endpoints: Endpoints,
    socket: NetlinkSocket,
    network: StoredNetwork,
    wiring: Wiring,
    keeper: FirewallKeeper,
  ) {
    this.#keeper = keeper;
    this.#endpoints = endpoints;
    this.#options = options;
    this.#socket = socket;
    this.network = network;
    this.wiring = wiring;
    this.addresses = new AddressPool(wiring.subnet, wiring.gateway);
    for (const endpoint of endpoints.list()) {
      const address = parseIpv4(endpoint.ipAddress);
      if (address === undefined || endpoint.networkId !== network.id) continue;
      if (endpoint.attached) this.addresses.claim(address, interfaceExists);
      else this.addresses.keep(address, endpoint.containerId);
    }
    this.pool = new ReadyPool({
      target: Math.min(POOL, Math.floor(this.addresses.capacity / 4)),
      low: 2,
      make: () => this.#make(),
      discard: (sandbox) => this.#discard(sandbox),
      failed: (error) => options.log.warn("Could not prepare a network sandbox", { error }),
    });
  }

  /** A ready sandbox, or one made now; undefined when no address is free. */
  take(): WiredSandbox | undefined {
    return this.pool.take() ?? this.#make();
  }

  /** A sandbox with an address that the caller has claimed. */
  takeAt(address: Ipv4): WiredSandbox {
    const ready = this.pool.take();
    try {
      if (!ready) return makeWiredSandbox(this.#socket, this.wiring, address, newInterfaceName());
      const moved = readdress(ready, this.wiring, address);
      this.addresses.release(ready.address, undefined, undefined);
      return moved;
    } catch (error) {
      this.addresses.release(address, undefined, undefined);
      if (ready) this.#discard(ready);
      throw error;
    }
  }

  /** Stops work and lets go of what is ready. */
  async close(): Promise<void> {
    this.pool.close();
    await this.#keeper.close();
  }

  /** Waits for interfaces on the bridge that belong to nobody to go, and deletes those that stay. */
  async freeOrphans(): Promise<void> {
    const { clock, log } = this.#options;
    const attached = this.#endpoints.list().filter((endpoint) => endpoint.attached);
    const mine = new Set(attached.map((endpoint) => endpoint.hostInterface));
    const find = () =>
      bridgePorts(this.#socket, this.wiring.bridgeIndex).filter(({ name, kind }) => kind === "veth" && !mine.has(name));
    const deadline = clock.now() + ORPHAN_PATIENCE_MS;
    let orphans = find();
    while (orphans.length > 0 && clock.now() < deadline) {
      await clock.sleep(5);
      orphans = find();
    }
    for (const { name, index } of orphans) {
      log.info("Deleting an interface that belongs to no container", { name });
      try {
        this.#socket.transact([deleteLink(index)]);
      } catch (error) {
        if (interfaceExists(name)) throw error;
      }
    }
  }

  #make(): WiredSandbox | undefined {
    const address = this.addresses.take(interfaceExists);
    if (address === undefined) return undefined;
    try {
      return makeWiredSandbox(this.#socket, this.wiring, address, newInterfaceName());
    } catch (error) {
      this.addresses.release(address, undefined, undefined);
      throw error;
    }
  }

  #discard(sandbox: WiredSandbox): void {
    sandbox.namespace[Symbol.dispose]();
    this.addresses.release(sandbox.address, sandbox.hostInterface, undefined);
  }
}

/** Containers whose bridge was deleted under them come onto the new one. */
function rejoin(socket: NetlinkSocket, bridgeIndex: number, endpoints: Endpoints): void {
  const attached = endpoints.list().filter((endpoint) => endpoint.attached);
  const names = new Set(attached.map(({ hostInterface }) => hostInterface));
  const astray = listLinks(socket).filter(({ name, master }) => names.has(name) && master !== bridgeIndex);
  socket.transact(astray.map(({ index }) => setLink(index, { master: bridgeIndex, up: true })));
}

function newInterfaceName(): string {
  return `veth${randomBytes(4).toString("hex").slice(0, 7)}`;
}

/** Which subnet the network has: the asked one, else the stored one, else an existing bridge's, else a free one. Stores it. */
async function settle(
  options: HostNetworksOptions,
  endpoints: Endpoints,
  socket: NetlinkSocket,
  nameservers: readonly string[],
): Promise<{ subnet: Subnet; gateway: Ipv4 }> {
  const { store, bridge, clock, newId } = options;
  const stored = store.view((tx) => tx.find(networkKind, "name", "bridge")[0]);
  const asked = options.subnet === undefined ? undefined : parseSubnet(options.subnet);
  const storedGateway = stored?.gateway === undefined ? undefined : parseIpv4(stored.gateway);
  if (stored?.subnet !== undefined && storedGateway !== undefined) {
    if (asked === undefined || formatSubnet(asked) === stored.subnet) {
      return { subnet: parseSubnet(stored.subnet), gateway: storedGateway };
    }
    refuseWhileAttached(options, endpoints, stored);
  }
  const existing = asked ? undefined : subnetOfBridge(socket, bridge);
  const subnet = asked ?? existing?.subnet ?? chooseSubnet(socket, nameservers);
  const gateway = existing?.gateway ?? subnet.base + 1;
  for (const endpoint of endpoints.list()) endpoints.delete(endpoint.id);
  await store.update((tx) => {
    tx.put(networkKind, {
      id: stored?.id ?? newId(),
      name: "bridge",
      driver: "bridge",
      created: stored?.created ?? clock.now(),
      subnet: formatSubnet(subnet),
      gateway: formatIpv4(gateway),
    });
  });
  return { subnet, gateway };
}

function refuseWhileAttached({ subnet }: HostNetworksOptions, endpoints: Endpoints, stored: StoredNetwork): void {
  const attached = endpoints.list().filter((endpoint) => endpoint.attached);
  if (attached.length === 0) return;
  throw new HavreError(
    "conflict",
    `The default network cannot become ${subnet}: ${attached.length} running containers have addresses of ${stored.subnet}`,
    { hint: "Stop them first, or start without --subnet" },
  );
}
