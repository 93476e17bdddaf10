import { HavreError } from "../../base/mod.ts";
import type { EndpointAsk, NetworkMode } from "../../networks/mod.ts";
import { type EndpointRequest, endpointNames } from "../../spec/mod.ts";
import type { Container } from "../container.ts";
import type { EngineContext } from "../context.ts";
import { getContainer, hasProcess } from "../lookup.ts";
import { egressOfContainer } from "./egress.ts";

/**
 * Where this container's network comes from. `container:` needs a running container; one that was disconnected from all
 * its networks has none.
 */
export function networkModeOf(context: EngineContext, container: Container): NetworkMode {
  const { NetworkMode: mode } = container.spec.hostConfig;
  if (container.spec.config.NetworkDisabled === true) return { kind: "none" };
  if (mode === "host") return { kind: "host" };
  if (mode.startsWith("container:")) {
    const other = getContainer(context.store, mode.slice("container:".length));
    if (!hasProcess(other)) {
      throw new HavreError("conflict", `cannot join network of a non running container: ${other.id}`, {
        hint: `Start it first: havre start ${other.name}`,
      });
    }
    return { kind: "container", pid: other.status.init.pid };
  }
  const { endpoints } = container.spec;
  const names = Object.keys(endpoints).sort();
  if (names.length === 0 || names.includes("none")) return { kind: "none" };
  // The first interface is that of the network it was created on.
  const main = names.filter((name) => name === (mode === "default" ? "bridge" : mode));
  const ordered = [...main, ...names.filter((name) => !main.includes(name))];
  return { kind: "networks", endpoints: ordered.map((name) => askOf(container, name, endpoints[name] ?? {})) };
}

/** What a container asks of a network, with the names by which others there find it. */
export function askOf(container: Container, network: string, request: EndpointRequest): EndpointAsk {
  const { IPAMConfig, Aliases, Links, MacAddress, DriverOpts } = request;
  const ofDefault = network === "bridge";
  const egress = egressOfContainer(container);
  const macAddress = MacAddress || (ofDefault ? container.spec.config.MacAddress : undefined);
  return {
    // A network of the same name, made since, is another one (Docker's).
    network: (ofDefault ? undefined : container.status.networkIds?.[network]) ?? network,
    ...(IPAMConfig?.IPv4Address ? { ipv4: IPAMConfig.IPv4Address } : {}),
    ...(IPAMConfig?.IPv6Address ? { ipv6: IPAMConfig.IPv6Address } : {}),
    ...(IPAMConfig?.LinkLocalIPs ? { linkLocal: IPAMConfig.LinkLocalIPs } : {}),
    ...(macAddress ? { macAddress } : {}),
    aliases: Aliases ?? [],
    dnsNames: ofDefault ? [] : dnsNames(container, Aliases ?? []),
    links: Links ?? [],
    driverOptions: DriverOpts ?? {},
    // A name for the host was asked for (`--add-host NAME:host-gateway`): it is to be reached.
    hostAccess: (container.spec.hostConfig.ExtraHosts ?? []).some((entry) => entry.endsWith(":host-gateway")),
    ...(egress ? { egress } : {}),
  };
}

/** The names of a container on a network of the user's. */
export function dnsNames({ id, name, spec }: Container, aliases: readonly string[]): readonly string[] {
  return endpointNames({ id, name, hostname: spec.config.Hostname }, aliases);
}
