/**
 * Published ports: ports of the host that lead to containers.
 *
 * Words: publication (what one container has published), target (where in the networks it is), turnaround (the pair of
 * interfaces through which a packet comes in again once the host's firewall has let it in), relay (IPv6 to containers
 * without).
 * Owns publication objects in the store, the tables `havre-ports-BRIDGE` of nftables, the turnaround, and a bound
 * socket for each port.
 * Invariants: a host port has one holder, container or process; what the host's firewall denies reaches no container
 * unless that port is open; rules outlive the daemon, and none is left of a container that does not run.
 */

export { type PublishingEndpoint, portBridges, publishingEndpoint } from "./bridges.ts";
export type { PortRequest, PortTarget, PublishedPort } from "./model.ts";
export { removePortRules } from "./port-rules.ts";
export { type HandedPort, PublishedPorts, type PublishedPortsOptions } from "./published-ports.ts";
export type { PortClients, PortReach } from "./reach.ts";
export { type PortSettings, portRequests } from "./requests.ts";
export type { PortBridge } from "./rules.ts";
