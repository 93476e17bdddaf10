import { HavreError, isHavreError, shortId } from "../../base/mod.ts";
import type { EndpointAsk, NetworkMode } from "../../networks/mod.ts";
import type { EndpointRequest } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { getContainer, requireRunning } from "../lookup.ts";

/** The `--network` words of this container as a mode; `container:` needs a running container. */
export function networkModeOf(context: EngineContext, container: Container): NetworkMode {
  const mode = container.spec.hostConfig.NetworkMode;
  if (container.spec.config.NetworkDisabled === true || mode === "none") return { kind: "none" };
  if (mode === "host") return { kind: "host" };
  if (mode.startsWith("container:")) {
    const other = getContainer(context.store, mode.slice("container:".length));
    requireRunning(other);
    const pid = other.status.init?.pid;
    if (pid === undefined) throw new HavreError("internal", `Container ${other.id} runs without a known process`);
    return { kind: "container", pid };
  }
  const main = mode === "" || mode === "default" ? "bridge" : mode;
  const { endpoints } = container.spec;
  const first = keyOf(context, endpoints, main);
  const others = Object.keys(endpoints)
    .filter((name) => name !== first)
    .sort();
  const asks = [...(first === undefined && Object.keys(endpoints).length > 0 ? [] : [first ?? main]), ...others];
  return { kind: "networks", endpoints: asks.map((name) => askOf(container, name, endpoints[name] ?? {})) };
}

/** Under which name a container asks for the network `ref`, which may be another name or id of it. */
function keyOf(
  { networks }: EngineContext,
  endpoints: Readonly<Record<string, EndpointRequest>>,
  ref: string,
): string | undefined {
  if (Object.hasOwn(endpoints, ref)) return ref;
  try {
    const { id, name } = networks.get(ref);
    return [name, id].find((one) => Object.hasOwn(endpoints, one));
  } catch (error) {
    if (isHavreError(error, "not-found")) return undefined;
    throw error;
  }
}

/** What a container asks of a network, with the names by which others there find it. */
export function askOf(container: Container, network: string, request: EndpointRequest): EndpointAsk {
  const { IPAMConfig, Aliases, Links, MacAddress, NetworkID, DriverOpts } = request;
  const wide = network === container.spec.hostConfig.NetworkMode || network === "bridge";
  const macAddress = MacAddress || (wide ? container.spec.config.MacAddress : undefined);
  return {
    network: network !== "bridge" && NetworkID ? NetworkID : network,
    ...(IPAMConfig?.IPv4Address ? { ipv4: IPAMConfig.IPv4Address } : {}),
    ...(IPAMConfig?.IPv6Address ? { ipv6: IPAMConfig.IPv6Address } : {}),
    ...(IPAMConfig?.LinkLocalIPs ? { linkLocal: IPAMConfig.LinkLocalIPs } : {}),
    ...(macAddress ? { macAddress } : {}),
    aliases: Aliases ?? [],
    dnsNames: network === "bridge" ? [] : dnsNames(container, Aliases ?? []),
    links: Links ?? [],
    driverOptions: DriverOpts ?? {},
  };
}

/** The names of a container on a network of the user's: its own, those asked for, its id and its host name. */
export function dnsNames({ id, name, spec }: Container, aliases: readonly string[]): readonly string[] {
  const { Hostname } = spec.config;
  return [...new Set([name, ...aliases, shortId(id), ...(Hostname === "" ? [] : [Hostname])])];
}
