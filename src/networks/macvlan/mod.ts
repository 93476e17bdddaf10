/**
 * Macvlan networks: containers on the network that an interface of the host is on, each with a MAC address of its own.
 *
 * Words: parent (the host's interface), mode (whether containers on one parent reach each other), VLAN sub-interface.
 * Owns VLAN sub-interfaces that it made (they carry the network's id as alias), nothing else of the host.
 */
export { MacvlanDriver } from "./driver.ts";
