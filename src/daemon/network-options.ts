import { type HostNetworksOptions, parseDefaultPool } from "../networks/mod.ts";
import type { DaemonOptions } from "./options.ts";

/** What a daemon's options say of its networks. `invalid-argument` for a pool that is none. */
export function networkOptions(
  options: Pick<DaemonOptions, "subnet" | "defaultAddressPools" | "hostAccess">,
): Pick<HostNetworksOptions, "subnet" | "defaultPools" | "hostAccess"> {
  const pools = options.defaultAddressPools.map(parseDefaultPool);
  return {
    hostAccess: options.hostAccess,
    ...(options.subnet === undefined ? {} : { subnet: options.subnet }),
    ...(pools.length === 0 ? {} : { defaultPools: pools }),
  };
}
