import { HavreError } from "../../base/mod.ts";
import { type Endpoint, type PublishedPort, portRequests, publishingEndpoint } from "../../networks/mod.ts";
import type { Container } from "../container.ts";
import { type EngineContext, setStatus } from "../context.ts";

/** Container ports, separated by commas, that are reached from outside whatever the host's firewall says; or `all`. */
export const OPEN_PORTS_LABEL = "havre.ports.open";

/** Id of the container whose ports this one takes over once it is ready: while that one has them, a start publishes none. */
export const SUCCESSOR_LABEL = "havre.ports.from";

/**
 * Publishes what a container asks for. Nothing for one without a network of its own, whose networks have no way out, or
 * that waits for another's ports. `failed-precondition` and `resource-exhausted` with Docker's texts and who is in the way.
 */
export async function publishPorts(
  context: EngineContext,
  container: Container,
  endpoints: readonly Endpoint[],
): Promise<readonly PublishedPort[]> {
  const former = container.spec.config.Labels?.[SUCCESSOR_LABEL];
  if (former !== undefined && context.ports.of(former).length > 0) return [];
  const asked = placedRequests(context, container, endpoints);
  return asked ? publish(context, container, asked, asked.requests) : [];
}

/**
 * Gives a running container what it asks to have published: ports that `from` has go over at once, the rest is
 * published. Connections to `from` go on.
 */
export async function takeOverPorts(
  context: EngineContext,
  container: Container,
  from: string,
  endpoints: readonly Endpoint[],
): Promise<readonly PublishedPort[]> {
  const asked = placedRequests(context, container, endpoints);
  if (!asked) return [];
  const handed = context.ports.of(from).flatMap((port) => {
    const request = asked.requests.find((one) => fits(one, port));
    return request ? [{ port, containerPort: request.containerPort, open: request.open }] : [];
  });
  const { id, name } = container;
  await context.ports.handOver(from, { id, name }, asked.place.target, handed);
  const has = context.ports.of(id);
  const left = asked.requests.filter((request) => !has.some((port) => fits(request, port)));
  return left.length === 0 ? has : publish(context, container, asked, left);
}

/** Undoes a publishing that was cut off before it was recorded as asked for, and records what a running container has. */
export async function settlePorts(context: EngineContext, container: Container): Promise<void> {
  const { id, status } = container;
  const asked = requestsOf(context, container);
  const unasked = context.ports.of(id).filter((port) => !asked.some((request) => gave(request, port)));
  if (unasked.length > 0) await context.ports.unpublish(id, unasked);
  const ports = context.ports.of(id);
  if (JSON.stringify(ports) !== JSON.stringify(status.ports)) await setStatus(context, id, { ports });
}

/** Whether a port may have come of a request. */
function gave(request: Asked["requests"][number], port: PublishedPort): boolean {
  if (request.containerPort !== port.containerPort || request.protocol !== port.protocol) return false;
  return request.hostPorts === undefined || fits(request, port);
}

interface Asked {
  readonly place: NonNullable<ReturnType<typeof publishingEndpoint>>;
  readonly requests: ReturnType<typeof portRequests>;
}

function requestsOf(context: EngineContext, { spec: { config, hostConfig } }: Container): Asked["requests"] {
  return portRequests({
    bindings: hostConfig.PortBindings,
    exposed: Object.keys(config.ExposedPorts ?? {}),
    publishAll: hostConfig.PublishAllPorts,
    open: context.config.openPorts ? ["all"] : openPorts(config.Labels),
  });
}

function placedRequests(
  context: EngineContext,
  container: Container,
  endpoints: readonly Endpoint[],
): Asked | undefined {
  const requests = requestsOf(context, container);
  const place = requests.length === 0 ? undefined : publishingEndpoint(endpoints, context.networks.list());
  if (!place) return undefined;
  return {
    place,
    requests: requests.map((one) => (one.hostAddress === "" ? { ...one, hostAddress: place.hostAddress } : one)),
  };
}

/** Whether a host port is what a request for certain ones asks for. */
function fits({ protocol, hostAddress, hostPorts }: Asked["requests"][number], port: PublishedPort): boolean {
  const isThere = hostPorts !== undefined && port.hostPort >= hostPorts[0] && port.hostPort <= hostPorts[1];
  return port.protocol === protocol && isThere && (hostAddress === "" || hostAddress === port.hostAddress);
}

async function publish(
  context: EngineContext,
  { id, name }: Container,
  { place }: Asked,
  requests: Asked["requests"],
): Promise<readonly PublishedPort[]> {
  try {
    return await context.ports.publish({ id, name }, place.target, requests);
  } catch (error) {
    if (!(error instanceof HavreError)) throw error;
    const { kind, hint } = error;
    const what = `driver failed programming external connectivity on endpoint ${name} (${place.endpoint.endpointId})`;
    throw new HavreError(kind, `${what}: ${error.message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

/** After another set of networks: the ports lead to where the container is reached now, if it is. Returns what is published. */
export async function movePorts(
  context: EngineContext,
  container: Container,
  endpoints: readonly Endpoint[],
): Promise<readonly PublishedPort[]> {
  const { ports, networks } = context;
  const place = publishingEndpoint(endpoints, networks.list());
  if (!place) await ports.release(container.id);
  else if (ports.of(container.id).length === 0) return publishPorts(context, container, endpoints);
  else await ports.move(container.id, place.target);
  return ports.of(container.id);
}

function openPorts(labels: Readonly<Record<string, string>> | null | undefined): readonly string[] {
  return (labels?.[OPEN_PORTS_LABEL] ?? "").split(",").map((word) => word.trim());
}
