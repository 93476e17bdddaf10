import { HavreError, isHavreError } from "../../base/mod.ts";
import { listProblems, type NetworkInfo } from "../../networks/mod.ts";
import type { ContainerCreateRequest, EndpointRequest } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { askOf } from "./mode.ts";

type Endpoints = Readonly<Record<string, EndpointRequest>>;

/** The network that `ref` names; undefined when there is none (yet): then the container cannot start. */
export function networkOf({ networks }: EngineContext, ref: string): NetworkInfo | undefined {
  try {
    return networks.get(ref);
  } catch (error) {
    if (isHavreError(error, "not-found")) return undefined;
    throw error;
  }
}

/**
 * What a container asks of its networks, each by the network's name, that of its mode among them. A network that is not
 * there stays under the name it was given.
 */
export function normaliseEndpoints(
  context: EngineContext,
  { endpoints, hostConfig }: ContainerCreateRequest,
): Endpoints {
  const mode = hostConfig.NetworkMode;
  if (mode.startsWith("container:")) return {};
  const nameOf = (ref: string) => (ref === "default" || ref === "" ? "bridge" : (networkOf(context, ref)?.name ?? ref));
  const named = Object.fromEntries(Object.entries(endpoints).map(([ref, request]) => [nameOf(ref), request]));
  const main = nameOf(mode);
  return Object.keys(named).length > 0 && !Object.hasOwn(endpoints, mode) && !Object.hasOwn(named, main)
    ? named
    : { [main]: {}, ...named };
}

/** The mode by the network's own name: an id may have named it. */
export function normaliseMode(context: EngineContext, mode: string): string {
  if (["", "default", "host", "none", "bridge"].includes(mode) || mode.startsWith("container:")) return mode;
  return networkOf(context, mode)?.name ?? mode;
}

/** `invalid-argument` in Docker's words when a network that is there cannot give what a container asks of it. */
export function refuseUnfitEndpoints(
  context: EngineContext,
  container: Pick<Container, "spec" | "status" | "id" | "name">,
): void {
  for (const [network, request] of Object.entries(container.spec.endpoints)) {
    const problems = context.networks.problemsOf(askOf(container as Container, network, request));
    if (problems.length === 0) continue;
    const text = `invalid config for network ${network}: invalid endpoint settings:\n${listProblems(problems)}`;
    throw new HavreError("invalid-argument", text);
  }
}
