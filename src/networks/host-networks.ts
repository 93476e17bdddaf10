import { statSync } from "node:fs";
import { HavreError, Undoes } from "../base/mod.ts";
import {
  deleteLink,
  findLink,
  interfaceExists,
  NetlinkSocket,
  type NetworkNamespace,
  openNetworkNamespace,
} from "../kernel/mod.ts";
import { askProblems, wishOf } from "./asks.ts";
import { checkBridgeName } from "./bridge/mod.ts";
import { describeEndpoint, newEndpoint } from "./describe.ts";
import { Endpoints } from "./endpoints.ts";
import { chooseGateways } from "./gateways.ts";
import { parseSubnet } from "./ip.ts";
import type { StoredEndpoint } from "./model.ts";
import { givenOf } from "./network-addresses.ts";
import type {
  AttachedSandbox,
  Endpoint,
  EndpointAsk,
  NetworkInfo,
  NetworkMode,
  NetworkRequest,
  Networks,
  Sandbox,
  SandboxListener,
} from "./networks.ts";
import type { OpenNetwork } from "./open-network.ts";
import { type HostNetworksOptions, OpenNetworks } from "./open-networks.ts";
import { Outbound } from "./outbound.ts";
import { ReadyPool } from "./ready-pool.ts";
import { hostResolverFile, type ResolverConfig, upstreamResolverFile } from "./resolv-conf.ts";
import {
  adoptSandbox,
  makeBareSandbox,
  namespaceOfProcess,
  removeStrays,
  setDefaultRoutes,
  socketIn,
} from "./sandboxes.ts";

const BARE_POOL = 3;
/** An interface still there this long after its container's release is held by something and deleted outright. */
const REAP_MS = 1000;

/**
 * The networks of one host. A sandbox's namespace is held by a descriptor of this process until the container's own
 * processes hold it: whatever the daemon had ready or half-made when it is killed, the kernel deletes.
 */
export class HostNetworks implements Networks {
  readonly outbound: Outbound;
  readonly #options: HostNetworksOptions;
  readonly #socket: NetlinkSocket;
  readonly #endpoints: Endpoints;
  readonly #networks: OpenNetworks;
  readonly #listeners = new Set<SandboxListener>();
  readonly #held = new Map<string, NetworkNamespace>();
  readonly #bare: ReadyPool<NetworkNamespace>;
  #reaper: NodeJS.Timeout | undefined;
  #suspects: ReadonlySet<string> = new Set();

  constructor(options: HostNetworksOptions) {
    checkBridgeName(options.bridge);
    if (options.subnet !== undefined) parseSubnet(options.subnet);
    this.#options = options;
    this.#socket = new NetlinkSocket();
    this.#endpoints = new Endpoints(options.store, options.log);
    this.#networks = new OpenNetworks(
      options,
      this.#socket,
      this.#endpoints,
      () => this.hostResolver(true).nameservers,
    );
    this.outbound = new Outbound(this.#endpoints, this.#networks.egress);
    this.#bare = new ReadyPool({
      target: BARE_POOL,
      low: 1,
      make: makeBareSandbox,
      discard: (namespace) => namespace[Symbol.dispose](),
      failed: (error) => options.log.warn("Could not prepare a network namespace", { error }),
    });
  }

  async attach(containerId: string, mode: NetworkMode, own?: NetworkNamespace): Promise<Sandbox> {
    if (this.#held.has(containerId)) await this.release(containerId);
    switch (mode.kind) {
      case "host":
        return { namespacePath: undefined, endpoints: [] };
      case "container":
        return { namespacePath: namespaceOfProcess(mode.pid), endpoints: [] };
      case "none": {
        const namespace = own ? adoptSandbox(own) : (this.#bare.take() ?? makeBareSandbox());
        this.#held.set(containerId, namespace);
        return { namespacePath: namespace.path, endpoints: [] };
      }
      case "networks":
        return Undoes.run((undoes) => this.#attachToNetworks(containerId, mode.endpoints, own, undoes));
    }
  }

  async release(containerId: string): Promise<void> {
    this.#letGo(containerId);
    for (const endpoint of this.#endpoints.ofContainer(containerId)) {
      if (!endpoint.attached) continue;
      void this.#endpoints.put({ ...endpoint, attached: false });
      this.#freeAddresses(endpoint, containerId);
    }
  }

  async forget(containerId: string): Promise<void> {
    this.#letGo(containerId);
    for (const endpoint of this.#endpoints.ofContainer(containerId)) this.#forgetEndpoint(endpoint);
  }

  async connect(containerId: string, ask: EndpointAsk): Promise<readonly Endpoint[]> {
    const namespace = this.#namespaceOf(containerId);
    await Undoes.run(async (undoes) => {
      const { network, written } = await this.#joinAnother(containerId, namespace, ask);
      undoes.add(() => void this.disconnect(containerId, network));
      await written;
      this.#route(containerId, namespace);
      await this.#tellAttached(containerId, namespace);
    });
    return this.#describe(containerId);
  }

  async setNames(
    containerId: string,
    namesOn: (endpoint: Endpoint) => readonly string[],
  ): Promise<readonly Endpoint[]> {
    const named = new Map(this.#describe(containerId).map((endpoint) => [endpoint.networkId, namesOn(endpoint)]));
    for (const endpoint of this.#endpoints.ofContainer(containerId)) {
      const dnsNames = named.get(endpoint.networkId);
      if (dnsNames) this.#endpoints.put({ ...endpoint, dnsNames });
    }
    const namespace = this.#held.get(containerId);
    if (namespace) await this.#tellAttached(containerId, namespace);
    await this.#endpoints.flush();
    return this.#describe(containerId);
  }

  async disconnect(containerId: string, network: string): Promise<readonly Endpoint[]> {
    const { id } = this.#networks.stored(network);
    const endpoint = this.#endpoints.get(id, containerId);
    if (!endpoint) return this.#describe(containerId);
    const namespace = this.#held.get(containerId);
    if (namespace && endpoint.attached) {
      using inside = socketIn(namespace);
      // One whose parent has vanished is gone already.
      if (findLink(inside, endpoint.interfaceName)) inside.transact([deleteLink(endpoint.interfaceName)]);
    }
    this.#forgetEndpoint(endpoint);
    if (namespace) {
      this.#route(containerId, namespace);
      await this.#tellAttached(containerId, namespace);
    }
    await this.#endpoints.flush();
    return this.#describe(containerId);
  }

  endpointsOf(containerId: string): readonly Endpoint[] {
    return this.#describe(containerId);
  }

  problemsOf(ask: EndpointAsk): readonly string[] {
    const network = this.#networks.find(ask.network);
    return network ? askProblems(ask, network) : [];
  }

  create(request: NetworkRequest): Promise<NetworkInfo> {
    return this.#networks.create(request);
  }

  async remove(ref: string): Promise<NetworkInfo> {
    const removed = await this.#networks.remove(ref);
    for (const listener of this.#listeners) await listener.networkRemoved?.();
    return removed;
  }

  list(): readonly NetworkInfo[] {
    return this.#networks.list();
  }

  get(ref: string): NetworkInfo {
    return this.#networks.info(this.#networks.stored(ref));
  }

  watchSandboxes(listener: SandboxListener): Disposable {
    this.#listeners.add(listener);
    for (const [containerId, namespace] of this.#held) {
      const sandbox = this.#sandboxView(containerId, namespace);
      if (sandbox.endpoints.length > 0) this.#tellQuietly(listener, sandbox);
    }
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  hostResolver(hostNetwork: boolean): ResolverConfig {
    return hostNetwork ? hostResolverFile() : upstreamResolverFile();
  }

  async recover(known: ReadonlyMap<string, number | undefined>): Promise<void> {
    for (const endpoint of this.#endpoints.list()) {
      const { containerId, hostInterface, attached } = endpoint;
      const there = hostInterface === "" ? known.get(containerId) !== undefined : interfaceExists(hostInterface);
      if (!known.has(containerId)) this.#endpoints.delete(endpoint.id);
      else if (attached && !there) void this.#endpoints.put({ ...endpoint, attached: false });
    }
    this.#bare.refillSoon();
    await this.#networks.recover();
    for (const [containerId, pid] of known) if (pid !== undefined) this.#adopt(containerId, pid);
    await this.#endpoints.flush();
  }

  async close(): Promise<void> {
    clearTimeout(this.#reaper);
    this.#bare.close();
    await this.#networks.close();
    for (const containerId of [...this.#held.keys()]) this.#letGo(containerId);
    await this.#endpoints.flush();
    this.#socket[Symbol.dispose]();
  }

  /**
   * Closes, and removes bridges and rules from the host for good. `failed-precondition` while containers are joined to
   * them.
   */
  async tearDown(): Promise<void> {
    const attached = this.#endpoints.list().filter((endpoint) => endpoint.attached);
    if (attached.length > 0) {
      throw new HavreError("failed-precondition", `Bridge ${this.#options.bridge} has ${attached.length} containers`, {
        hint: "Stop them first",
      });
    }
    this.#bare.close();
    await this.#networks.tearDown();
    await this.close();
  }

  async #attachToNetworks(
    containerId: string,
    asks: readonly EndpointAsk[],
    own: NetworkNamespace | undefined,
    undoes: Undoes,
  ): Promise<Sandbox> {
    const [first, ...others] = asks;
    if (!first) throw new HavreError("internal", `Container ${containerId} asks for no network`);
    const ids = new Set(asks.map(({ network }) => this.#networks.stored(network).id));
    await this.release(containerId);
    for (const former of this.#endpoints.ofContainer(containerId))
      if (!ids.has(former.networkId)) this.#forgetEndpoint(former);
    undoes.add(() => this.release(containerId));
    if (own) this.#held.set(containerId, adoptSandbox(own));
    const all = own ? [] : [(await this.#joinFirst(containerId, first)).written];
    const namespace = this.#namespaceOf(containerId);
    for (const ask of own ? asks : others) all.push((await this.#joinAnother(containerId, namespace, ask)).written);
    if (own || others.length > 0) this.#route(containerId, namespace);
    const told = this.#tellAttached(containerId, namespace);
    const recorded = Promise.all([...all, told]).then(() => {});
    recorded.catch(() => {});
    return { namespacePath: namespace.path, endpoints: this.#describe(containerId), recorded };
  }

  /** The container's first network brings its namespace. */
  #joinFirst(containerId: string, ask: EndpointAsk): Promise<{ readonly written: Promise<void> }> {
    return this.#networks.using(ask.network, async (open) => {
      const former = this.#endpoints.get(open.network.id, containerId);
      const { namespace, ...joined } = await open.takeSandbox(wishOf(ask, open.network, former));
      this.#held.set(containerId, namespace);
      const endpoint = newEndpoint(this.#options.newId(), containerId, open.network, ask, joined);
      return { written: this.#put(endpoint, former, open) };
    });
  }

  #joinAnother(
    containerId: string,
    namespace: NetworkNamespace,
    ask: EndpointAsk,
  ): Promise<{ readonly network: string; readonly written: Promise<void> }> {
    return this.#networks.using(ask.network, async (open) => {
      const former = this.#endpoints.get(open.network.id, containerId);
      if (former?.attached) {
        throw new HavreError(
          "permission-denied",
          `endpoint with name ${containerId} already exists in network ${open.network.name}`,
        );
      }
      const joined = await open.join(namespace, wishOf(ask, open.network, former));
      const endpoint = newEndpoint(this.#options.newId(), containerId, open.network, ask, joined);
      return { network: open.network.id, written: this.#put(endpoint, former, open) };
    });
  }

  #put(endpoint: StoredEndpoint, former: StoredEndpoint | undefined, open: OpenNetwork): Promise<void> {
    const written = this.#endpoints.put(endpoint);
    if (former) open.addresses.forget(givenOf(former), endpoint.containerId);
    open.refillSoon();
    return written;
  }

  /** The default routes go by those of the container's networks that are to have them. */
  #route(containerId: string, namespace: NetworkNamespace): void {
    const joined = this.#endpoints.ofContainer(containerId).filter(({ attached }) => attached);
    const candidates = joined.flatMap(({ networkId, gatewayPriority }) => {
      const open = this.#networks.get(networkId);
      return open ? [{ name: open.network.name, priority: gatewayPriority, gateways: open.gateways() }] : [];
    });
    using inside = socketIn(namespace);
    setDefaultRoutes(inside, chooseGateways(candidates));
  }

  #namespaceOf(containerId: string): NetworkNamespace {
    const namespace = this.#held.get(containerId);
    if (namespace) return namespace;
    throw new HavreError("failed-precondition", `Container ${containerId} has no network namespace of its own`);
  }

  /** A container that outlived the last daemon: its namespace is at hand again, unless it is the host's. */
  #adopt(containerId: string, pid: number): void {
    if (this.#held.has(containerId)) return;
    const path = `/proc/${pid}/ns/net`;
    try {
      if (statSync(path).ino === statSync("/proc/self/ns/net").ino) return;
      const namespace = openNetworkNamespace(path);
      this.#held.set(containerId, namespace);
      const sandbox = this.#sandboxView(containerId, namespace);
      removeStrays(namespace, new Set(sandbox.endpoints.map(({ interfaceName }) => interfaceName)));
      if (sandbox.endpoints.length === 0) return;
      for (const listener of this.#listeners) this.#tellQuietly(listener, sandbox);
    } catch (error) {
      this.#options.log.warn("A running container's network cannot be looked at", { container: containerId, error });
    }
  }

  #sandboxView(containerId: string, namespace: NetworkNamespace): AttachedSandbox {
    return { containerId, namespace, endpoints: this.#describe(containerId) };
  }

  async #tellAttached(containerId: string, namespace: NetworkNamespace): Promise<void> {
    const sandbox = this.#sandboxView(containerId, namespace);
    for (const listener of this.#listeners) await listener.attached(sandbox);
  }

  #tellQuietly(listener: SandboxListener, sandbox: AttachedSandbox): void {
    const tell = async () => listener.attached(sandbox);
    tell().catch((error) => {
      this.#options.log.error("A running container's network is not complete", {
        container: sandbox.containerId,
        error,
      });
    });
  }

  /** In the order of the interfaces. */
  #describe(containerId: string): readonly Endpoint[] {
    const attached = this.#endpoints.ofContainer(containerId).filter((endpoint) => endpoint.attached);
    return attached
      .map((endpoint) => describeEndpoint(endpoint, this.#networks.stored(endpoint.networkId)))
      .sort((one, other) => one.interfaceName.localeCompare(other.interfaceName, "en", { numeric: true }));
  }

  #letGo(containerId: string): void {
    const namespace = this.#held.get(containerId);
    if (!namespace) return;
    for (const listener of this.#listeners) listener.detached(containerId);
    namespace[Symbol.dispose]();
    this.#held.delete(containerId);
  }

  #forgetEndpoint(endpoint: StoredEndpoint): void {
    this.#endpoints.delete(endpoint.id);
    if (endpoint.attached) this.#freeAddresses(endpoint, undefined);
    else this.#networks.get(endpoint.networkId)?.addresses.forget(givenOf(endpoint), endpoint.containerId);
  }

  #freeAddresses(endpoint: StoredEndpoint, keptFor: string | undefined): void {
    this.#networks.get(endpoint.networkId)?.release(endpoint, keptFor);
    this.#reapLater();
  }

  #reapLater(): void {
    this.#reaper ??= setTimeout(() => this.#reap(), REAP_MS).unref();
  }

  /** The kernel deletes a veth with its namespace, unless something still holds that: a container that shared it, say. */
  #reap(): void {
    this.#reaper = undefined;
    const leaving = this.#networks.leaving();
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
