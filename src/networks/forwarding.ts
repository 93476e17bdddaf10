import { readdirSync, readFileSync } from "node:fs";
import { writeSysctl } from "../kernel/mod.ts";

const IPV6 = "net/ipv6/conf";

/** The host must route for its containers. False when this could not be set. */
export function enableForwarding(family: 4 | 6): boolean {
  try {
    if (family === 4) return writeSysctl("net/ipv4/ip_forward", "1");
    if (read(`${IPV6}/all/forwarding`) === "1") return true;
    keepAdvertisedRoutes();
    return writeSysctl(`${IPV6}/all/forwarding`, "1");
  } catch {
    return false;
  }
}

/**
 * A host that routes IPv6 no longer heeds router advertisements (accept_ra 1), and would lose its own way out with the
 * next one: those interfaces that heed them now go on doing so (2). Source: ip-sysctl of the kernel's documentation.
 */
function keepAdvertisedRoutes(): void {
  for (const name of readdirSync(`/proc/sys/${IPV6}`)) {
    if (name === "all" || name === "default" || name === "lo") continue;
    if (read(`${IPV6}/${name}/accept_ra`) === "1") writeSysctl(`${IPV6}/${name}/accept_ra`, "2");
  }
}

function read(path: string): string {
  return readFileSync(`/proc/sys/${path}`, "utf8").trim();
}
