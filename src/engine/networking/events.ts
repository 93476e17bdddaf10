import type { NetworkInfo } from "../../networks/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { networkOf } from "./requests.ts";

export type NetworkAction = "create" | "destroy" | "connect" | "disconnect" | "prune";

/** As Docker tells of networks. */
export function emitNetwork(
  { events }: EngineContext,
  network: Pick<NetworkInfo, "id" | "name" | "driver">,
  action: NetworkAction,
  containerId?: string,
): void {
  const attributes = {
    ...(containerId === undefined ? {} : { container: containerId }),
    name: network.name,
    type: network.driver,
  };
  events.emit({ type: "network", action, actor: { id: network.id, attributes } });
}

/** The networks a container is on, `host` and `none` among them. Ask before it is released. */
export function networksToTell(context: EngineContext, container: Container): readonly NetworkInfo[] {
  const joined = context.networks.endpointsOf(container.id).map(({ networkId }) => networkId);
  const { NetworkMode: mode } = container.spec.hostConfig;
  const names = mode === "host" || Object.hasOwn(container.spec.endpoints, "none") ? [mode] : joined;
  return names.flatMap((name) => networkOf(context, name) ?? []);
}

export function emitNetworks(
  context: EngineContext,
  networks: readonly NetworkInfo[],
  action: NetworkAction,
  containerId: string,
): void {
  for (const network of networks) emitNetwork(context, network, action, containerId);
}
