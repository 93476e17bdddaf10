/**
 * Bridge networks: a Linux bridge of the host, with a veth pair for each container.
 *
 * Words: bridge, veth, gateway (the host's own address on the bridge).
 * Owns the bridges and the host's ends of veth pairs. A bridge carries its network's id as alias: another daemon's is left alone.
 */
export { subnetOfBridge } from "./bridge.ts";
export { BridgeDriver } from "./driver.ts";
export { type BridgeOptions, bridgeOptions, checkBridgeName, defaultBridgeOptions } from "./options.ts";
