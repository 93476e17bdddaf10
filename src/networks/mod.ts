/**
 * Networks, addresses, ports, names: none, host, container, the default bridge and networks of the user's making.
 *
 * Words: network (a stored object), driver (how one kind carries packets), segment (a network as it is on this host),
 * sandbox (a network namespace prepared for a container), endpoint (a container's place in a network), veth, pool (of
 * addresses; of ready sandboxes).
 * Owns network and endpoint objects, the bridges, nftables tables (and a chain of iptables where that rules).
 * Invariants: an address has one holder; a namespace is given out once; nothing outlives a killed daemon but what a
 * container's process holds.
 */

export { type ModeFigures, measureModes } from "./advise/mod.ts";
export { listProblems } from "./asks.ts";
export { givesNames, NameServers, type NameServersOptions } from "./dns/mod.ts";
export { type Egress, type EgressRefusals, type EgressRule, isLimited } from "./egress/mod.ts";
export { HostNetworks } from "./host-networks.ts";
export { type HostRecord, type HostsRequest, hostnameFile, hostsFile, ownHostRecords } from "./hosts-file.ts";
export type { DriverName, IpamPool, NetworkSpec } from "./model.ts";
export * from "./networks.ts";
export type { HostNetworksOptions } from "./open-networks.ts";
export * from "./ports/mod.ts";
export { type ResolverConfig, type ResolverOverrides, type ResolverPlace, resolvConf } from "./resolv-conf.ts";
export { type DefaultPool, parseDefaultPool } from "./subnets.ts";
export { endpointOfOneNetwork } from "./upgrades.ts";
