import { existsSync } from "node:fs";
import type { IdMap } from "../../identities/mod.ts";
import type { HostConfig } from "../../spec/mod.ts";
import { ownsNetwork } from "./namespaces.ts";

/** Of the host's ids. */
const HIGHEST_GROUP = 2147483647;

/** What a container with its own network may do without extra capabilities: ping, and listen below 1024. */
function networkDefaults(ids: IdMap | undefined): Readonly<Record<string, string>> {
  // The kernel takes no group that the container has not.
  const groups = ids?.gids.find(({ inside }) => inside === 0)?.size;
  return {
    "net.ipv4.ping_group_range": `0 ${groups === undefined ? HIGHEST_GROUP : groups - 1}`,
    "net.ipv4.ip_unprivileged_port_start": "0",
  };
}

function known(name: string): boolean {
  return existsSync(`/proc/sys/${name.replaceAll(".", "/")}`);
}

/**
 * Kernel settings of a container. The NIS domain name is one: the field of its own came late to the standard, and
 * runtimes in use ignore it.
 */
export function buildSysctls(hostConfig: HostConfig, domainname: string, ids?: IdMap): Record<string, string> {
  const { Sysctls, UTSMode } = hostConfig;
  // An old kernel lacks them, and the runtime refuses a name that is not there.
  const defaults = ownsNetwork(hostConfig) ? Object.entries(networkDefaults(ids)).filter(([name]) => known(name)) : [];
  // With users of its own it may not write the setting, but make the system call.
  const names = domainname === "" || UTSMode === "host" || ids ? {} : { "kernel.domainname": domainname };
  return { ...Object.fromEntries(defaults), ...names, ...Sysctls };
}
