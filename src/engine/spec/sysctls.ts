import { existsSync } from "node:fs";
import type { HostConfig } from "../../spec/mod.ts";
import { joinedContainer } from "./namespaces.ts";

/** What a container with its own network may do without extra capabilities: ping, and listen below 1024. */
const NETWORK_DEFAULTS: Readonly<Record<string, string>> = {
  "net.ipv4.ping_group_range": "0 2147483647",
  "net.ipv4.ip_unprivileged_port_start": "0",
};

function known(name: string): boolean {
  return existsSync(`/proc/sys/${name.replaceAll(".", "/")}`);
}

/**
 * Kernel settings of a container. The NIS domain name is one: the field of its own came late to the standard, and
 * runtimes in use ignore it.
 */
export function buildSysctls(
  { NetworkMode, Sysctls, UTSMode }: HostConfig,
  domainname: string,
): Record<string, string> {
  const ownNetwork = NetworkMode !== "host" && joinedContainer(NetworkMode) === undefined;
  // An old kernel lacks them, and the runtime refuses a name that is not there.
  const defaults = ownNetwork ? Object.entries(NETWORK_DEFAULTS).filter(([name]) => known(name)) : [];
  const names = domainname === "" || UTSMode === "host" ? {} : { "kernel.domainname": domainname };
  return { ...Object.fromEntries(defaults), ...names, ...Sysctls };
}
