import { writeSysctl } from "../kernel/mod.ts";

/** The host must route for its containers. False when this could not be set. */
export function enableForwarding(family: 4 | 6): boolean {
  try {
    return writeSysctl(family === 4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding", "1");
  } catch {
    return false;
  }
}
