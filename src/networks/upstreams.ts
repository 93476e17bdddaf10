import { isIPv6 } from "node:net";
import type { ResolverConfig, ResolverOverrides } from "./resolv-conf.ts";

/** A name server that others' names are asked of. */
export interface Upstream {
  readonly address: string;
  readonly port: number;
  /** It is reached from the host, not from the container. */
  readonly fromHost: boolean;
}

/** Where resolv.conf sends the questions of a container on a network with names; Docker's. */
export const NAME_SERVER_ADDRESS = "127.0.0.11";
const DNS_PORT = 53;
const DEFAULTS: readonly string[] = ["8.8.8.8", "8.8.4.4"];
const DEFAULTS_IPV6: readonly string[] = ["2001:4860:4860::8888", "2001:4860:4860::8844"];

/**
 * The servers behind a container's name server, as Docker chooses them: those it asks for, else the host's, else public
 * ones. They are asked from the container's own network (`--dns` may name another container), but for those of the host's
 * that only the host can reach.
 * @param ipv6 the container has IPv6 addresses.
 */
export function upstreamsOf(host: ResolverConfig, wishes: ResolverOverrides, ipv6: boolean): readonly Upstream[] {
  const own = wishes.nameservers ?? [];
  if (own.length > 0) return own.map((address) => ({ address, port: DNS_PORT, fromHost: false }));
  const ofHost = host.nameservers.map((address) => {
    const fromHost = isLoopback(address) || (isIPv6(address) && !ipv6) || address.includes("%");
    return { address, port: DNS_PORT, fromHost };
  });
  if (ofHost.length > 0) return ofHost;
  const defaults = ipv6 ? [...DEFAULTS, ...DEFAULTS_IPV6] : DEFAULTS;
  return defaults.map((address) => ({ address, port: DNS_PORT, fromHost: false }));
}

/** As a container's resolv.conf lists them. */
export function describeUpstream({ address, fromHost }: Upstream): string {
  return fromHost ? `host(${address})` : address;
}

/** Whether asking it would only ask ourselves again. */
export function isOwnServer({ address, fromHost }: Upstream): boolean {
  return !fromHost && address === NAME_SERVER_ADDRESS;
}

export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
