import { HavreError } from "../../base/mod.ts";
import { type Endpoint, type PublishedPort, portRequests, publishingEndpoint } from "../../networks/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";

/** Container ports, separated by commas, that are reached from outside whatever the host's firewall says; or `all`. */
export const OPEN_PORTS_LABEL = "havre.ports.open";

/**
 * Publishes what a container asks for. Nothing for one without a network of its own, or whose networks have no way out.
 * `failed-precondition` and `resource-exhausted` with Docker's texts and who is in the way.
 */
export async function publishPorts(
  context: EngineContext,
  container: Container,
  endpoints: readonly Endpoint[],
): Promise<readonly PublishedPort[]> {
  const { id, name, spec } = container;
  const { config, hostConfig } = spec;
  const requests = portRequests({
    bindings: hostConfig.PortBindings,
    exposed: Object.keys(config.ExposedPorts ?? {}),
    publishAll: hostConfig.PublishAllPorts,
    open: context.config.openPorts ? ["all"] : openPorts(config.Labels),
  });
  const place = requests.length === 0 ? undefined : publishingEndpoint(endpoints, context.networks.list());
  if (!place) return [];
  const placed = requests.map((one) => (one.hostAddress === "" ? { ...one, hostAddress: place.hostAddress } : one));
  try {
    return await context.ports.publish({ id, name }, place.target, placed);
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
