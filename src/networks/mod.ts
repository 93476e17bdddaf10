/**
 * Networks, addresses, ports, names. So far: none, host, container and the default bridge.
 *
 * Words: sandbox (a network namespace prepared for a container), endpoint, veth, pool.
 * Owns the bridge, its nftables table (and a chain of iptables where that rules), network and endpoint objects.
 * Invariants: an address has one holder; a namespace is given out once; nothing outlives a killed daemon but what a
 * container's process holds.
 */

export { HostNetworks, type HostNetworksOptions } from "./host-networks.ts";
export { type HostRecord, type HostsRequest, hostnameFile, hostsFile } from "./hosts-file.ts";
export * from "./networks.ts";
export { type ResolverConfig, type ResolverOverrides, resolvConf } from "./resolv-conf.ts";
