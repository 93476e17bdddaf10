import { isIPv4, isIPv6 } from "node:net";
import type { ContainerCreateRequest, EndpointRequest } from "../../spec/mod.ts";
import { refuse } from "./refuse.ts";

/** Networks that every host has: addresses and aliases there are the engine's to choose. */
const PREDEFINED = new Set(["bridge", "host", "none", "default"]);
const MAC = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

function problems(network: string, { IPAMConfig, Aliases }: EndpointRequest): string[] {
  const { IPv4Address = "", IPv6Address = "" } = IPAMConfig ?? {};
  const found: string[] = [];
  const predefined = PREDEFINED.has(network);
  const fixed = IPv4Address !== "" || IPv6Address !== "";
  if (predefined && fixed) found.push("user specified IP address is supported on user defined networks only");
  if (predefined && Aliases?.length)
    found.push("network-scoped alias is supported only for containers in user defined networks");
  if (IPv4Address !== "" && !isIPv4(IPv4Address)) found.push(`invalid IPv4 address: ${IPv4Address}`);
  if (IPv6Address !== "" && !isIPv6(IPv6Address)) found.push(`invalid IPv6 address: ${IPv6Address}`);
  if (predefined && fixed)
    found.push("user specified IP address is supported only when connecting to networks with user configured subnets");
  return found;
}

/** Checks what a container asks of its networks. `invalid-argument` in Docker's words. */
export function checkEndpoints({ config, endpoints, hostConfig }: ContainerCreateRequest): void {
  for (const [network, endpoint] of Object.entries(endpoints)) {
    const context = `invalid config for network ${network}:`;
    const found = problems(network, endpoint);
    const list = found.length === 1 ? found.join("") : found.map((text) => `* ${text}`).join("\n");
    if (found.length > 0) throw refuse(`${context} invalid endpoint settings:\n${list}`);
    if (endpoint.MacAddress && !MAC.test(endpoint.MacAddress))
      throw refuse(`${context} invalid MAC address ${endpoint.MacAddress}`);
  }
  const mac = config.MacAddress ?? "";
  if (mac !== "" && !MAC.test(mac))
    throw refuse(`invalid config for network ${hostConfig.NetworkMode || "bridge"}: invalid MAC address ${mac}`);
}
