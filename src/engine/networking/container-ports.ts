import { HavreError } from "../../base/mod.ts";
import { type PortReach, type PublishedPort, publishingEndpoint } from "../../networks/mod.ts";
import type { HostConfig, PortBinding } from "../../spec/mod.ts";
import { type Container, containerKind } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";
import type { PortChange, PortManagement, PortName } from "../engine.ts";
import { getContainer, hasProcess, requireRunning } from "../lookup.ts";
import { drained } from "./drain.ts";
import { OPEN_PORTS_LABEL, publishPorts, takeOverPorts } from "./publish.ts";

type Bindings = HostConfig["PortBindings"];

/** Changes what containers publish: at once where they run, and for every later start. */
export class ContainerPorts implements PortManagement {
  readonly #context: EngineContext;

  constructor(context: EngineContext) {
    this.#context = context;
  }

  async change(ref: string, change: PortChange): Promise<Container> {
    const { id } = getContainer(this.#context.store, ref);
    return this.#context.locks.run(id, () => this.#change(getContainer(this.#context.store, id), change));
  }

  async takeOver(ref: string, fromRef: string, drainSeconds: number, signal?: AbortSignal): Promise<Container> {
    const { store, locks } = this.#context;
    const { id } = getContainer(store, ref);
    const from = getContainer(store, fromRef);
    const taken = await locks.run(id, () => this.#takeOver(getContainer(store, id), from));
    await drained(from, drainSeconds, signal);
    return taken;
  }

  async #takeOver(container: Container, from: Container): Promise<Container> {
    const { networks, ports } = this.#context;
    requireRunning(container);
    await takeOverPorts(this.#context, container, from.id, networks.endpointsOf(container.id));
    await setStatus(this.#context, from.id, { ports: ports.of(from.id) });
    const changed = await setStatus(this.#context, container.id, { ports: ports.of(container.id) });
    if (!changed) throw new HavreError("not-found", `No such container: ${container.id}`);
    this.#context.events.emitContainer(changed, "update");
    return changed;
  }

  async reach(ref: string): Promise<readonly PortReach[]> {
    return this.#context.ports.reach(getContainer(this.#context.store, ref).id);
  }

  async #change(container: Container, change: PortChange): Promise<Container> {
    const { networks, ports, events } = this.#context;
    refuseUnfit(container);
    const gone = change.unpublish.flatMap((name) => this.#named(container, name));
    const left = withoutBindings(container.spec.hostConfig.PortBindings, change.unpublish, gone);
    const running = hasProcess(container);
    // First what goes, so that its host ports are free for what comes; it comes back when that fails.
    const place = running ? publishingEndpoint(networks.endpointsOf(container.id), networks.list()) : undefined;
    if (running) await ports.unpublish(container.id, gone);
    const adding = withBindings(container, left, change);
    try {
      if (running) await publishPorts(this.#context, adding, networks.endpointsOf(container.id));
    } catch (error) {
      if (place && gone.length > 0) await ports.publish(container, place.target, gone.map(asRequest));
      throw error;
    }
    const changed = await this.#record(container.id, join(left, change.publish), adding.spec.config);
    if (!changed) throw new HavreError("not-found", `No such container: ${container.id}`);
    events.emitContainer(changed, "update");
    return changed;
  }

  /** The published ports, or those to be, that a name means. `not-found` when there is none. */
  #named(container: Container, name: PortName): readonly PublishedPort[] {
    const running = this.#context.ports
      .of(container.id)
      .filter((one) => one.protocol === name.protocol && one.hostPort === name.port)
      .filter((one) => name.address === undefined || one.hostAddress === name.address);
    const asked = Object.entries(container.spec.hostConfig.PortBindings).some(([key, places]) =>
      (places ?? []).some((place) => means(name, key, place)),
    );
    if (running.length > 0 || asked) return running;
    const port = `${name.address === undefined ? "" : `${name.address}:`}${name.port}/${name.protocol}`;
    throw new HavreError("not-found", `Container ${container.name} does not publish ${port}`);
  }

  async #record(
    id: string,
    PortBindings: Bindings,
    config: Container["spec"]["config"],
  ): Promise<Container | undefined> {
    const { store, ports } = this.#context;
    await store.update((tx) => {
      const now = tx.get(containerKind, id);
      if (!now) return;
      const hostConfig = { ...now.spec.hostConfig, PortBindings };
      tx.put(containerKind, { ...now, spec: { ...now.spec, config, hostConfig } });
    });
    return setStatus(this.#context, id, { ports: ports.of(id) });
  }
}

function refuseUnfit({ spec, name }: Container): void {
  const mode = spec.hostConfig.NetworkMode;
  if (mode !== "host" && mode !== "none" && !mode.startsWith("container:")) return;
  throw new HavreError("invalid-argument", `Container ${name} has no network of its own to publish ports from`, {
    hint: "Make it on a bridge network",
  });
}

/** The container as if it asked for the new ports alone; open are those of the new that are to be, and of `left` that were. */
function withBindings(container: Container, left: Bindings, { publish, open }: PortChange): Container {
  const { config, hostConfig } = container.spec;
  const exposed = { ...config.ExposedPorts, ...Object.fromEntries(Object.keys(publish).map((key) => [key, {}])) };
  const { [OPEN_PORTS_LABEL]: before = "", ...labels } = config.Labels ?? {};
  const standing = before.split(",").filter((key) => key === "all" || Object.hasOwn(left, key));
  const opened = [...new Set([...standing, ...open])].join(",");
  const spec = {
    ...container.spec,
    config: {
      ...config,
      ExposedPorts: exposed,
      Labels: opened === "" ? labels : { ...labels, [OPEN_PORTS_LABEL]: opened },
    },
    hostConfig: { ...hostConfig, PortBindings: publish, PublishAllPorts: false },
  };
  return { ...container, spec };
}

/** What is asked for less what names mean: bindings as they were asked, or that gave the ports in `gone`. */
function withoutBindings(bindings: Bindings, names: readonly PortName[], gone: readonly PublishedPort[]): Bindings {
  const kept = Object.entries(bindings).map(([key, places]) => {
    const left = (places ?? []).filter(
      (place) => !names.some((name) => means(name, key, place)) && !gone.some((port) => gave(key, place, port)),
    );
    return [key, left] as const;
  });
  return Object.fromEntries(kept.filter(([, places]) => places.length > 0));
}

function means({ protocol, port, address }: PortName, key: string, { HostIp, HostPort }: PortBinding): boolean {
  return protocolOf(key) === protocol && HostPort === String(port) && (address === undefined || HostIp === address);
}

/** Whether a binding that leaves the host port open came to be this port. */
function gave(key: string, { HostIp, HostPort }: PortBinding, port: PublishedPort): boolean {
  const [first = 0, last = first] = HostPort === "" ? [0, 0] : HostPort.split("-").map(Number);
  const fits = first === 0 || (port.hostPort >= first && port.hostPort <= last);
  return `${port.containerPort}/${port.protocol}` === key && fits && (HostIp === "" || HostIp === port.hostAddress);
}

function protocolOf(key: string): string {
  return key.split("/")[1] ?? "tcp";
}

function join(one: Bindings, other: Bindings): Bindings {
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  return Object.fromEntries(keys.map((key) => [key, [...(one[key] ?? []), ...(other[key] ?? [])]]));
}

/** A port again as it was. */
function asRequest({ protocol, containerPort, hostAddress, hostPort, open }: PublishedPort) {
  return { protocol, containerPort, hostAddress, hostPorts: [hostPort, hostPort] as const, open };
}
