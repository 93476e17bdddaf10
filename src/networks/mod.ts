/**
 * Networks, addresses, ports, names. So far: none, host, container and the default bridge.
 *
 * Words: sandbox (a network namespace prepared for a container), endpoint, veth, pool.
 * Owns the bridge, its nftables table, `<run>/netns` and endpoint objects.
 */
export * from "./networks.ts";
