import { HavreError, isHavreError } from "../../base/mod.ts";
import {
  type Endpoint,
  givesNames,
  listProblems,
  type NetworkInfo,
  type NetworkRequest,
  PREDEFINED,
} from "../../networks/mod.ts";
import type { EndpointRequest } from "../../spec/mod.ts";
import { type Container, containerKind } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";
import type { NetworkManagement, PruneFilters } from "../engine.ts";
import { findContainer, getContainer, hasProcess } from "../lookup.ts";
import { matchesLabels } from "../prune.ts";
import { emitNetwork } from "./events.ts";
import { updateHostsFile } from "./hosts-entries.ts";
import { askOf } from "./mode.ts";
import { useNameServer } from "./network-files.ts";
import { movePorts } from "./publish.ts";

/** Networks as the API has them: made, removed, and containers joined to them and taken away, running or not. */
export class ContainerNetworks implements NetworkManagement {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  list(): readonly NetworkInfo[] {
    return this.#context.networks.list();
  }

  get(ref: string): NetworkInfo {
    return this.#context.networks.get(ref);
  }

  async create(request: NetworkRequest): Promise<NetworkInfo> {
    const network = await this.#context.networks.create(request);
    emitNetwork(this.#context, network, "create");
    return network;
  }

  async remove(ref: string): Promise<void> {
    const network = await this.#context.networks.remove(ref);
    emitNetwork(this.#context, network, "destroy");
  }

  async prune({ until, labels }: PruneFilters): Promise<readonly string[]> {
    const removed: string[] = [];
    for (const { id, name, created, endpoints, labels: own } of this.list()) {
      if (PREDEFINED.includes(name) || endpoints.size > 0) continue;
      if (until !== undefined && Date.parse(created) >= until) continue;
      if (!matchesLabels(own, labels)) continue;
      try {
        await this.remove(id);
        removed.push(name);
      } catch (error) {
        // Taken into use or removed by somebody else meanwhile.
        if (!isHavreError(error, "permission-denied") && !isHavreError(error, "not-found")) throw error;
      }
    }
    const attributes = { reclaimed: "0" };
    this.#context.events.emit({ type: "network", action: "prune", actor: { id: "", attributes } });
    return removed;
  }

  async connect(ref: string, containerRef: string, request: EndpointRequest): Promise<void> {
    // Docker misses the container first.
    const { id } = getContainer(this.#context.store, containerRef);
    const network = this.get(ref);
    await this.#context.locks.run(id, () => this.#connect(network, getContainer(this.#context.store, id), request));
  }

  async disconnect(ref: string, containerRef: string, force: boolean): Promise<void> {
    const network = this.get(ref);
    const known = findContainer(this.#context.store, containerRef);
    if (!known && force) throw new HavreError("not-found", `endpoint ${containerRef} not found`);
    const { id } = known ?? getContainer(this.#context.store, containerRef);
    await this.#context.locks.run(id, () => this.#disconnect(network, getContainer(this.#context.store, id)));
  }

  async #connect(network: NetworkInfo, container: Container, request: EndpointRequest): Promise<void> {
    const { networks } = this.#context;
    const ask = askOf(container, network.name, request);
    const problems = networks.problemsOf({ ...ask, network: network.id });
    if (problems.length > 0)
      throw new HavreError("invalid-argument", `invalid endpoint settings:\n${listProblems(problems)}`);
    refuseUnfit(network, container);
    if (!hasProcess(container)) {
      await this.#put(container.id, { ...container.spec.endpoints, [network.name]: request });
      await this.#rememberId(container.id, network);
      return;
    }
    if (container.status.endpoints.some(({ networkId }) => networkId === network.id)) {
      throw new HavreError(
        "permission-denied",
        `endpoint with name ${container.name} already exists in network ${network.name}`,
      );
    }
    const before = networks.endpointsOf(container.id);
    const after = await networks.connect(container.id, { ...ask, network: network.id });
    await this.#put(container.id, { ...container.spec.endpoints, [network.name]: request });
    await this.#rememberId(container.id, network);
    await this.#changed(container, before, after);
    emitNetwork(this.#context, network, "connect", container.id);
  }

  async #disconnect(network: NetworkInfo, container: Container): Promise<void> {
    const { networks } = this.#context;
    if (network.driver === "host") throw conflictOfHost();
    const running = hasProcess(container);
    if (!Object.hasOwn(container.spec.endpoints, network.name)) {
      const what = running ? "network" : "the network";
      throw new HavreError(
        "permission-denied",
        `container ${container.id} is not connected to ${what} ${network.name}`,
      );
    }
    const before = networks.endpointsOf(container.id);
    const { [network.name]: _gone, ...left } = container.spec.endpoints;
    // First what is wanted: a daemon that is killed in between finds an interface nobody asks for, and takes it away.
    await this.#put(container.id, left);
    await setStatus(this.#context, container.id, (status) => {
      const { [network.name]: _id, ...networkIds } = status.networkIds ?? {};
      return { ...status, networkIds };
    });
    const after = await networks.disconnect(container.id, network.id);
    if (running) await this.#changed(container, before, after);
    emitNetwork(this.#context, network, "disconnect", container.id);
  }

  async #changed(container: Container, before: readonly Endpoint[], after: readonly Endpoint[]): Promise<void> {
    const ports = await movePorts(this.#context, container, after);
    await setStatus(this.#context, container.id, { endpoints: after, ports });
    await updateHostsFile(this.#context, container, before, after);
    if (!before.some(givesNames) && after.some(givesNames)) await useNameServer(this.#context, container, after);
  }

  async #put(id: string, endpoints: Readonly<Record<string, EndpointRequest>>): Promise<void> {
    await this.#context.store.update((tx) => {
      const now = tx.get(containerKind, id);
      if (now) tx.put(containerKind, { ...now, spec: { ...now.spec, endpoints } });
    });
  }

  async #rememberId(id: string, network: NetworkInfo): Promise<void> {
    await setStatus(this.#context, id, (status) => ({
      ...status,
      networkIds: { ...status.networkIds, [network.name]: network.id },
    }));
  }
}

function conflictOfHost(): HavreError {
  const text = "container cannot be disconnected from host network or connected to host network";
  return new HavreError("permission-denied", text);
}

/** What cannot be connected at all, in Docker's words. */
function refuseUnfit(network: NetworkInfo, { spec }: Container): void {
  const mode = spec.hostConfig.NetworkMode;
  if (network.driver === "host" && mode !== "host") throw conflictOfHost();
  if (mode === "host" || mode.startsWith("container:")) {
    throw new HavreError(
      "permission-denied",
      "container sharing network namespace with another container or host cannot be connected to any other network",
    );
  }
  const onNone = Object.hasOwn(spec.endpoints, "none");
  if (onNone || (network.driver === "null" && Object.keys(spec.endpoints).length > 0)) {
    throw new HavreError(
      "permission-denied",
      "container cannot be connected to multiple networks with one of the networks in private (none) mode",
    );
  }
}
