import { existsSync } from "node:fs";
import { type Clock, HavreError, type IdSource, isHavreError, type Logger, rfc3339Nano } from "../base/mod.ts";
import { deleteLink, interfaceExists, NetlinkSocket, type NetworkNamespace } from "../kernel/mod.ts";
import type { Store } from "../store/mod.ts";
import { checkBridgeName } from "./bridge.ts";
import { BridgeNetwork } from "./bridge-network.ts";
import { Endpoints } from "./endpoints.ts";
import { removeRules } from "./firewall.ts";
import { formatIpv4, type Ipv4, macOf, parseIpv4, parseSubnet } from "./ipv4.ts";
import { networkKind, type StoredEndpoint, type StoredNetwork } from "./model.ts";
import type { Endpoint, NetworkInfo, NetworkMode, Networks, Sandbox } from "./networks.ts";
import { ReadyPool } from "./ready-pool.ts";
import { hostResolverFile, type ResolverConfig, upstreamResolverFile } from "./resolv-conf.ts";
import { isOperational, makeBareSandbox, setMac, type WiredSandbox } from "./sandboxes.ts";

const BARE_POOL = 3;
/** Longest wait for the kernel to delete interfaces whose addresses are wanted: a restarting container's own, or the last there are. */
const LEAVING_PATIENCE_MS = 250;
const LEAVING_POLL_MS = 2;
/** An interface still there this long after its container's release is held by something and deleted outright. */
const REAP_MS = 1000;

export interface HostNetworksOptions {
  readonly store: Store;
  /** Name of the Linux bridge of the default network. */
  readonly bridge: string;
  /** CIDR of the default network; undefined: as before, or chosen among Docker's default pools. */
  readonly subnet?: string;
  readonly log: Logger;
  readonly clock: Clock;
  readonly newId: IdSource;
}

/**
 * The networks of one host. A sandbox's namespace is held by a descriptor of this process until the container's own
 * processes hold it: whatever the daemon had ready or half-made when it is killed, the kernel deletes.
 */
export class HostNetworks implements Networks {
  readonly #options: HostNetworksOptions;
  readonly #socket: NetlinkSocket;
  readonly #endpoints: Endpoints;
  readonly #held = new Map<string, NetworkNamespace>();
  readonly #bare: ReadyPool<NetworkNamespace>;
  #bridge: BridgeNetwork | undefined;
  #reopening: Promise<void> | undefined;
  #bridgeFailure: HavreError | undefined;
  #reaper: NodeJS.Timeout | undefined;
  #suspects: ReadonlySet<string> = new Set();

  constructor(options: HostNetworksOptions) {
    checkBridgeName(options.bridge);
    if (options.subnet !== undefined) parseSubnet(options.subnet);
    this.#options = options;
    this.#socket = new NetlinkSocket();
    this.#endpoints = new Endpoints(options.store, options.log);
    this.#bare = new ReadyPool({
      target: BARE_POOL,
      low: 1,
      make: makeBareSandbox,
      discard: (namespace) => namespace[Symbol.dispose](),
      failed: (error) => options.log.warn("Could not prepare a network namespace", { error }),
    });
  }

  async attach(containerId: string, mode: NetworkMode): Promise<Sandbox> {
    if (this.#held.has(containerId)) await this.release(containerId);
    switch (mode.kind) {
      case "host":
        return { namespacePath: undefined, endpoints: [] };
      case "container":
        return { namespacePath: namespaceOfProcess(mode.pid), endpoints: [] };
      case "none": {
        const namespace = this.#bare.take() ?? makeBareSandbox();
        this.#held.set(containerId, namespace);
        return { namespacePath: namespace.path, endpoints: [] };
      }
      case "bridge":
        return await this.#attachToBridge(containerId, mode.macAddress);
    }
  }

  async release(containerId: string): Promise<void> {
    this.#letGo(containerId);
    const endpoint = this.#endpointOf(containerId);
    if (!endpoint?.attached) return;
    void this.#endpoints.put({ ...endpoint, attached: false });
    this.#freeAddress(endpoint, containerId);
  }

  async forget(containerId: string): Promise<void> {
    this.#letGo(containerId);
    const endpoint = this.#endpointOf(containerId);
    if (!endpoint) return;
    this.#endpoints.delete(endpoint.id);
    if (endpoint.attached) this.#freeAddress(endpoint, undefined);
    else this.#bridge?.addresses.forget(addressOf(endpoint), containerId);
  }

  list(): readonly NetworkInfo[] {
    return this.#options.store.view((tx) => tx.list(networkKind)).map((network) => this.#describeNetwork(network));
  }

  hostResolver(hostNetwork: boolean): ResolverConfig {
    return hostNetwork ? hostResolverFile() : upstreamResolverFile();
  }

  async recover(known: ReadonlySet<string>): Promise<void> {
    const { store, clock, newId, log } = this.#options;
    await store.update((tx) => {
      for (const [name, driver] of [["host", "host"] as const, ["none", "null"] as const]) {
        if (tx.find(networkKind, "name", name).length > 0) continue;
        tx.put(networkKind, { id: newId(), name, driver, created: clock.now() });
      }
    });
    for (const endpoint of this.#endpoints.list()) {
      if (!known.has(endpoint.containerId)) this.#endpoints.delete(endpoint.id);
      else if (endpoint.attached && !interfaceExists(endpoint.hostInterface)) {
        void this.#endpoints.put({ ...endpoint, attached: false });
      }
    }
    this.#bare.refillSoon();
    try {
      await this.#openBridge();
    } catch (error) {
      // A program that is not installed must not keep containers without a network from running.
      if (!isHavreError(error, "unavailable")) throw error;
      this.#bridge = undefined;
      this.#bridgeFailure = error;
      log.error("The default network cannot be used", { error, hint: error.hint });
    }
    await this.#endpoints.flush();
  }

  async close(): Promise<void> {
    clearTimeout(this.#reaper);
    this.#bare.close();
    await this.#bridge?.close();
    for (const containerId of [...this.#held.keys()]) this.#letGo(containerId);
    await this.#endpoints.flush();
    this.#socket[Symbol.dispose]();
  }

  /**
   * Closes, and removes the bridge and its rules from the host for good. `failed-precondition` while containers are
   * joined to it.
   */
  async tearDown(): Promise<void> {
    const bridge = this.#bridge;
    const attached = this.list().flatMap(({ endpoints }) => [...endpoints.keys()]);
    if (attached.length > 0) {
      throw new HavreError("failed-precondition", `Bridge ${this.#options.bridge} has ${attached.length} containers`, {
        hint: "Stop them first",
      });
    }
    this.#bare.close();
    await bridge?.close();
    await bridge?.freeOrphans();
    await removeRules(this.#options.bridge);
    if (bridge && interfaceExists(this.#options.bridge)) this.#socket.transact([deleteLink(bridge.wiring.bridgeIndex)]);
    await this.close();
  }

  #describeNetwork(network: StoredNetwork): NetworkInfo {
    const endpoints = this.#endpoints;
    return {
      id: network.id,
      name: network.name,
      driver: network.driver,
      created: rfc3339Nano(network.created),
      scope: "local",
      internal: false,
      ...(network.subnet === undefined ? {} : { subnet: network.subnet }),
      ...(network.gateway === undefined ? {} : { gateway: network.gateway }),
      options: network.driver === "bridge" ? bridgeOptions(this.#options.bridge) : {},
      labels: {},
      // Made when asked for: most who look up a network want its name or gateway, and there may be hundreds of these.
      get endpoints() {
        const attached = endpoints.list().filter((one) => one.attached && one.networkId === network.id);
        return new Map(attached.map((stored) => [stored.containerId, describe(stored, network)]));
      },
    };
  }

  async #openBridge(): Promise<void> {
    await this.#bridge?.close();
    const nameservers = this.hostResolver(true).nameservers;
    this.#bridge = await BridgeNetwork.open(this.#options, this.#endpoints, this.#socket, nameservers);
    await this.#bridge.freeOrphans();
    this.#bridge.pool.refillSoon();
  }

  /** The bridge; made again when someone has deleted it from the host. */
  async #presentBridge(): Promise<BridgeNetwork | undefined> {
    if (this.#bridge && !interfaceExists(this.#options.bridge)) {
      this.#reopening ??= this.#openBridge().finally(() => {
        this.#reopening = undefined;
      });
    }
    await this.#reopening;
    return this.#bridge;
  }

  async #attachToBridge(containerId: string, macAddress: string | undefined): Promise<Sandbox> {
    const bridge = await this.#presentBridge();
    if (!bridge) throw this.#bridgeFailure ?? new HavreError("unavailable", "The default network is not ready yet");
    const former = this.#endpointOf(containerId);
    if (former?.attached) await this.release(containerId);
    const sandbox = await this.#sandboxFor(bridge, former);
    if (!sandbox.operational) {
      await this.#patiently(() => isOperational(this.#socket, bridge.wiring, sandbox.hostInterface) || undefined);
    }
    if (macAddress !== undefined) setMac(sandbox, macAddress);
    const endpoint: StoredEndpoint = {
      id: Endpoints.id(bridge.network.id, containerId),
      endpointId: this.#options.newId(),
      containerId,
      networkId: bridge.network.id,
      ipAddress: formatIpv4(sandbox.address),
      hostInterface: sandbox.hostInterface,
      attached: true,
      ...(macAddress === undefined ? {} : { macAddress: macAddress.toLowerCase().replaceAll("-", ":") }),
    };
    const recorded = this.#endpoints.put(endpoint);
    if (former) bridge.addresses.forget(addressOf(former), containerId);
    this.#held.set(containerId, sandbox.namespace);
    return { namespacePath: sandbox.namespace.path, endpoints: [describe(endpoint, bridge.network)], recorded };
  }

  /** With the container's former address if that is free, else whatever is ready or can be made. */
  async #sandboxFor(bridge: BridgeNetwork, former: StoredEndpoint | undefined): Promise<WiredSandbox> {
    if (former) {
      const wanted = addressOf(former);
      const answer = await this.#patiently(() => {
        const claim = bridge.addresses.claim(wanted, interfaceExists);
        return claim === "leaving" ? undefined : claim;
      });
      if (answer === "claimed") return bridge.takeAt(wanted);
    }
    const sandbox = await this.#patiently(
      () => bridge.take() ?? (bridge.addresses.sweep(interfaceExists).length === 0 ? "exhausted" : undefined),
    );
    if (sandbox !== undefined && sandbox !== "exhausted") return sandbox;
    const { id, name } = bridge.network;
    throw new HavreError(
      "resource-exhausted",
      `no available IPv4 addresses on this network's address pools: ${name} (${id})`,
      { hint: "Remove containers, or give the daemon a larger --subnet" },
    );
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

  #endpointOf(containerId: string): StoredEndpoint | undefined {
    const network = this.#options.store.view((tx) => tx.find(networkKind, "name", "bridge")[0]);
    return network && this.#endpoints.get(network.id, containerId);
  }

  #letGo(containerId: string): void {
    this.#held.get(containerId)?.[Symbol.dispose]();
    this.#held.delete(containerId);
  }

  #freeAddress(endpoint: StoredEndpoint, keptFor: string | undefined): void {
    this.#bridge?.addresses.release(addressOf(endpoint), endpoint.hostInterface, keptFor);
    this.#reapLater();
  }

  #reapLater(): void {
    if (this.#reaper) return;
    this.#reaper = setTimeout(() => this.#reap(), REAP_MS);
    this.#reaper.unref();
  }

  /** The kernel deletes a veth with its namespace, unless something still holds that: a container that shared it, say. */
  #reap(): void {
    this.#reaper = undefined;
    const leaving = this.#bridge?.addresses.sweep(interfaceExists) ?? [];
    for (const name of leaving.filter((one) => this.#suspects.has(one))) {
      try {
        this.#socket.transact([deleteLink(name)]);
      } catch (error) {
        if (interfaceExists(name)) this.#options.log.warn("Could not delete an interface", { name, error });
      }
    }
    this.#suspects = new Set(leaving);
    if (leaving.length > 0) this.#reapLater();
  }
}

function addressOf(endpoint: StoredEndpoint): Ipv4 {
  return parseIpv4(endpoint.ipAddress) ?? 0;
}

function namespaceOfProcess(pid: number): string {
  const path = `/proc/${pid}/ns/net`;
  if (existsSync(path)) return path;
  throw new HavreError("failed-precondition", `Process ${pid} whose network is to be shared does not exist`);
}

function describe(stored: StoredEndpoint, network: StoredNetwork): Endpoint {
  return {
    networkId: network.id,
    networkName: network.name,
    endpointId: stored.endpointId,
    ipAddress: stored.ipAddress,
    prefixLength: parseSubnet(network.subnet ?? "").prefixLength,
    gateway: network.gateway ?? "",
    macAddress: stored.macAddress ?? macOf(addressOf(stored)),
    hostInterface: stored.hostInterface,
  };
}

/** As Docker describes its default bridge. */
function bridgeOptions(bridge: string): Readonly<Record<string, string>> {
  const prefix = "com.docker.network";
  return {
    [`${prefix}.bridge.default_bridge`]: "true",
    [`${prefix}.bridge.enable_icc`]: "true",
    [`${prefix}.bridge.enable_ip_masquerade`]: "true",
    [`${prefix}.bridge.host_binding_ipv4`]: "0.0.0.0",
    [`${prefix}.bridge.name`]: bridge,
    [`${prefix}.driver.mtu`]: "1500",
  };
}
