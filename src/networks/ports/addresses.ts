import { existsSync } from "node:fs";
import { isIPv4, isIPv6 } from "node:net";

/** `ip` and `ip6` as nftables calls them. */
export type AddressFamily = "ip" | "ip6";

export const ANY_IPV4 = "0.0.0.0";
export const ANY_IPV6 = "::";

/** undefined: no address. */
export function familyOf(text: string): AddressFamily | undefined {
  if (isIPv4(text)) return "ip";
  return isIPv6(text) ? "ip6" : undefined;
}

export function isAny(address: string): boolean {
  return address === ANY_IPV4 || /^[0:]+$/.test(address);
}

/** Addresses that only this host itself reaches. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** `[::1]:80`, `127.0.0.1:80`. */
export function withPort(address: string, port: number): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** The kernel has IPv6, and it was not turned off at boot. */
export function hasIpv6(): boolean {
  return existsSync("/proc/net/if_inet6");
}
