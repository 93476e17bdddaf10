import { isDeepStrictEqual } from "node:util";
import { HavreError, type Logger, runAll, toHavreError } from "../../base/mod.ts";
import { allowHairpin, interfaceExists, NetlinkSocket } from "../../kernel/mod.ts";
import type { Store } from "../../store/mod.ts";
import { startAnew, startUnansweredAnew } from "./conversations.ts";
import type { Element } from "./elements.ts";
import { HeldPorts } from "./held-ports.ts";
import { HostPorts } from "./host-ports.ts";
import {
  type PortRequest,
  type PortTarget,
  type PublishedPort,
  publicationKind,
  type StoredPublication,
} from "./model.ts";
import { letLoopbackThrough, PortRules, removePortRules } from "./port-rules.ts";
import { type PortReach, reachOf, readHostFacts } from "./reach.ts";
import { bridgeElements, type PortBridge, portElements } from "./rules.ts";
import { turnaroundNames } from "./turnaround.ts";

export interface PublishedPortsOptions {
  readonly store: Store;
  readonly log: Logger;
  /** Name of the default network's bridge: names the rules of this daemon. */
  readonly owner: string;
  /** The bridges there are. */
  bridges(): readonly PortBridge[];
}

/** A port that one container has and another is to have. */
export interface HandedPort {
  readonly port: PublishedPort;
  /** Of the other. */
  readonly containerPort: number;
  readonly open: boolean;
}

export interface PublishingContainer {
  readonly id: string;
  readonly name: string;
}

/**
 * Host ports that lead to containers. Who has which is stored with the container's id and is in the kernel twice: as
 * rules that outlive this daemon, and as bound sockets that keep others away while it lives.
 */
export class PublishedPorts {
  readonly #options: PublishedPortsOptions;
  readonly #ports = new HostPorts();
  readonly #rules: PortRules;
  readonly #publications = new Map<string, StoredPublication>();
  readonly #held: HeldPorts;
  #bridges: readonly PortBridge[] = [];
  #opening: Promise<void> | undefined;

  constructor(options: PublishedPortsOptions) {
    this.#options = options;
    this.#held = new HeldPorts(options.log);
    this.#rules = new PortRules(options.owner, () => this.#wanted(), options.log);
    for (const one of options.store.view((tx) => tx.list(publicationKind))) this.#publications.set(one.id, one);
  }

  /**
   * Publishes ports of a container, in the given order and beside those it has; all of them or none. Ports of no choice
   * are those it had before where these are free.
   * @returns all that it has now, one for each address: `0.0.0.0` and `::` for a request without one.
   */
  async publish(
    { id, name }: PublishingContainer,
    target: PortTarget,
    requests: readonly PortRequest[],
  ): Promise<readonly PublishedPort[]> {
    if (requests.length === 0) return this.of(id);
    // What failed then is tried again with this port.
    await this.#opening?.catch(() => {});
    const before = this.#publications.get(id);
    const standing = this.of(id);
    const added: PublishedPort[] = [];
    try {
      for (const request of requests) added.push(...this.#hold(id, name, request));
      reachItself(target);
      const now = { id, containerName: name, target, ports: [...standing, ...added], active: true };
      await this.#put(now);
      await this.#rules.change([], elementsOf({ ...now, ports: added }));
      this.#startAnew(added, target, "to the host");
      return now.ports;
    } catch (error) {
      this.#held.release(id, added);
      await this.#restore(id, before);
      throw error;
    }
  }

  /** Gives some of a container's ports back; those it has not are no matter. Returns what is left. */
  async unpublish(id: string, ports: readonly PublishedPort[]): Promise<readonly PublishedPort[]> {
    const publication = this.#publications.get(id);
    if (!publication?.active) return [];
    const gone = publication.ports.filter((one) => ports.includes(one));
    const left = publication.ports.filter((one) => !gone.includes(one));
    await this.#put({ ...publication, ports: left });
    this.#held.release(id, gone);
    await this.#rules.change(elementsOf({ ...publication, ports: gone }), []);
    this.#startAnew(gone, publication.target, "to the container");
    return left;
  }

  /**
   * Ports of one container lead to another from here on, in one change of the rules: at no moment do they lead nowhere.
   * Connections there are go on to where they were made. What `from` does not have is passed over.
   * @returns all that the other has now.
   */
  async handOver(
    from: string,
    { id, name }: PublishingContainer,
    target: PortTarget,
    ports: readonly HandedPort[],
  ): Promise<readonly PublishedPort[]> {
    const former = this.#publications.get(from);
    const handed = former?.active ? ports.filter(({ port }) => former.ports.includes(port)) : [];
    if (!former || handed.length === 0) return this.of(id);
    await this.#opening;
    reachItself(target);
    const gone = handed.map(({ port }) => port);
    const added = handed.map(({ port, containerPort, open }) => ({ ...port, containerPort, open }));
    const now = { id, containerName: name, target, ports: [...this.of(id), ...added], active: true };
    await this.#put(now);
    await this.#put({ ...former, ports: former.ports.filter((one) => !gone.includes(one)) });
    for (const port of added) this.#held.move(from, id, port, () => this.#publications.get(id)?.target);
    await this.#rules.change(elementsOf({ ...former, ports: gone }), elementsOf({ ...now, ports: added }));
    // Before the former is thought to be idle and ends.
    try {
      startUnansweredAnew(gone, former.target);
    } catch (error) {
      this.#options.log.warn("Connections that were about to begin may go to where a port led before", { error });
    }
    return now.ports;
  }

  /** The container's ports lead to another of its addresses from here on. */
  async move(id: string, target: PortTarget): Promise<void> {
    const publication = this.#publications.get(id);
    if (!publication?.active || isDeepStrictEqual(publication.target, target)) return;
    reachItself(target);
    const moved = { ...publication, target };
    await this.#put(moved);
    await this.#rules.change(elementsOf(publication), elementsOf(moved));
    this.#startAnew(publication.ports, publication.target, "to the container");
  }

  /** Who reaches what a running container has published, by the rules of this host as they are now. */
  async reach(id: string): Promise<readonly PortReach[]> {
    const publication = this.#publications.get(id);
    if (!publication?.active) return [];
    const { owner, bridges } = this.#options;
    const { out, back } = turnaroundNames(owner);
    const internal = new Set([out, back, ...bridges().map(({ name }) => name)]);
    const host = await readHostFacts(internal);
    const sorted = [...publication.ports].sort((one, other) => one.containerPort - other.containerPort);
    return sorted.map((port) => reachOf(port, publication.target, host));
  }

  /** What a running container has published. */
  of(id: string): readonly PublishedPort[] {
    const publication = this.#publications.get(id);
    return publication?.active ? publication.ports : [];
  }

  /** Gives a container's ports back. Free of effect twice. */
  async release(id: string): Promise<void> {
    const publication = this.#publications.get(id);
    if (!publication?.active) return;
    await runAll([
      async () => this.#held.releaseAll(id),
      () => this.#put({ ...publication, active: false }),
      () => this.#rules.change(elementsOf(publication), []),
      async () => this.#startAnew(publication.ports, publication.target, "to the container"),
    ]);
  }

  /** The container is removed: nothing is remembered for it. */
  async forget(id: string): Promise<void> {
    await this.release(id);
    if (!this.#publications.delete(id)) return;
    await this.#options.store.update((tx) => tx.delete(publicationKind, id), { durable: false });
  }

  /**
   * Brings rules and sockets to what the containers in `running` have; others' ports are free. A port of theirs that a
   * process of the host has taken meanwhile still leads to the container.
   */
  async recover(known: ReadonlySet<string>, running: ReadonlySet<string>): Promise<void> {
    for (const publication of [...this.#publications.values()]) {
      const { id, active } = publication;
      if (!known.has(id)) await this.forget(id);
      else if (active && running.has(id)) this.#resume(publication);
      else if (active) await this.#put({ ...publication, active: false });
    }
    this.#bridges = this.#options.bridges();
    // Nobody waits for it but who publishes; what runs has its rules from the daemon before.
    this.#opening = this.#rules.open();
    this.#opening.catch((error) => {
      this.#options.log.error("Ports cannot be published", { error: toHavreError(error) });
    });
  }

  /** Networks may have come or gone since: containers on new ones reach published ports too. */
  async bridgesChanged(): Promise<void> {
    // Before that the rules are still to be made, with all that is wanted then.
    if (!this.#opening) return;
    const former = this.#bridges;
    const added = this.#newBridges();
    const gone = former.filter((one) => !this.#bridges.some((other) => same(one, other))).flatMap(bridgeElements);
    if (added.length + gone.length > 0) {
      await this.#opening?.catch(() => {});
      await this.#rules.change(gone, added);
    } else if (letLoopbackThrough(this.#bridges.flatMap(({ name, internal }) => (internal ? [] : name))).length > 0) {
      // A bridge that was deleted under its containers and is there again knows nothing of its ports.
      for (const { active, target } of this.#publications.values()) if (active) reachItself(target);
    }
  }

  /** Stops work; ports that containers have go on leading to them. */
  async close(): Promise<void> {
    await this.#opening?.catch(() => {});
    await this.#rules.close();
    this.#held.releaseAll();
  }

  /** Closes, and takes the rules off the host for good. */
  async tearDown(): Promise<void> {
    await this.close();
    await removePortRules(this.#options.owner);
  }

  #wanted(): readonly Element[] {
    const active = [...this.#publications.values()].filter((one) => one.active);
    return [...this.#bridges.flatMap(bridgeElements), ...active.flatMap(elementsOf)];
  }

  /** What the rules do not know yet of the bridges there are. */
  #newBridges(): readonly Element[] {
    const now = this.#options.bridges();
    const added = now.filter((one) => !this.#bridges.some((other) => same(one, other)));
    this.#bridges = now;
    return added.flatMap(bridgeElements);
  }

  #hold(id: string, name: string, request: PortRequest): readonly PublishedPort[] {
    const { protocol, containerPort, open } = request;
    const before = this.#publications.get(id);
    const former = before?.active ? undefined : before?.ports.find((one) => isFormer(one, request))?.hostPort;
    return this.#ports.hold(request, name, former).map((held) => {
      const port = { protocol, containerPort, hostAddress: held.address, hostPort: held.port, open };
      this.#held.add(id, port, held, () => this.#publications.get(id)?.target);
      return port;
    });
  }

  #resume({ id, containerName, ports }: StoredPublication): void {
    for (const port of ports) {
      const { protocol, hostAddress, hostPort } = port;
      try {
        const held = this.#ports.resume(protocol, hostAddress, hostPort, containerName);
        this.#held.add(id, port, held, () => this.#publications.get(id)?.target);
      } catch (error) {
        const hint = error instanceof HavreError ? error.hint : undefined;
        this.#options.log.warn("A published port cannot be kept from others", {
          container: containerName,
          error,
          hint,
        });
      }
    }
  }

  /** Later: nobody waits for it, and a host may track many conversations. */
  #startAnew(ports: readonly PublishedPort[], target: PortTarget, led: "to the host" | "to the container"): void {
    if (ports.every(({ protocol }) => protocol === "tcp")) return;
    setImmediate(() => {
      try {
        startAnew(ports, target, led);
      } catch (error) {
        this.#options.log.warn("Clients of a published port may go on to where it led before", { error });
      }
    });
  }

  /** After a publish that failed: what was before. Whatever of it is in the rules comes right with their next making. */
  async #restore(id: string, before: StoredPublication | undefined): Promise<void> {
    if (this.#publications.get(id) === before) return;
    if (before) return this.#put(before);
    this.#publications.delete(id);
    await this.#options.store.update((tx) => tx.delete(publicationKind, id), { durable: false });
  }

  async #put(publication: StoredPublication): Promise<void> {
    this.#publications.set(publication.id, publication);
    await this.#options.store.update((tx) => tx.put(publicationKind, publication), { durable: false });
  }
}

/** With netfilter on bridges a packet to the container's own port is translated on the bridge and must go back by where it came. */
function reachItself({ hostInterface }: PortTarget): void {
  if (!interfaceExists(hostInterface)) return;
  using socket = new NetlinkSocket();
  socket.transact([allowHairpin(hostInterface)]);
}

function elementsOf({ ports, target, containerName }: StoredPublication): readonly Element[] {
  return ports.flatMap((port) => portElements(port, target, containerName));
}

/** Whether a port is what the same request got before. */
function isFormer(port: PublishedPort, { protocol, containerPort, hostAddress, hostPorts }: PortRequest): boolean {
  const address = hostAddress === "" ? "0.0.0.0" : hostAddress;
  return (
    hostPorts === undefined &&
    port.protocol === protocol &&
    port.containerPort === containerPort &&
    port.hostAddress === address
  );
}

function same(one: PortBridge, other: PortBridge): boolean {
  return one.name === other.name && one.subnets.join() === other.subnets.join();
}
