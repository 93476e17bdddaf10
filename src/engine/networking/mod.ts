/**
 * Containers and networks: which networks a container asks for, what changes while it runs, and who is told.
 *
 * Words: mode (where a container's namespace comes from), ask (what it wants of one network).
 * `spec.endpoints` is what is asked, by the network's name; connect and disconnect rewrite it, observation never does.
 */
export { ContainerNetworks } from "./container-networks.ts";
export { ContainerPorts } from "./container-ports.ts";
export { egressOfContainer } from "./egress.ts";
export { emitNetworks, networksToTell } from "./events.ts";
export { askOf, dnsNames, networkModeOf } from "./mode.ts";
export { filesIn, resolverOverrides, writeNetworkFiles } from "./network-files.ts";
export { publishPorts } from "./publish.ts";
export { networkOf, normaliseEndpoints, normaliseMode, refuseUnfitEndpoints } from "./requests.ts";
