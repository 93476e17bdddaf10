/**
 * Drives a real engine from outside: a daemon of its own folders, the docker and havre command lines, raw requests,
 * terminals; and looks afterwards that nothing is left.
 */
export * from "./daemon.ts";
export { DebianRegistry } from "./debian-registry.ts";
export { buildxFolder, cosign, dockerCli, dockerCompose, oras } from "./docker-cli.ts";
export * from "./engine.ts";
export * from "./networks.ts";
export * from "./own-registry.ts";
export { freePort } from "./ports.ts";
export * from "./process.ts";
export { ServedRegistry } from "./registry.ts";
export * from "./terminal.ts";
export * from "./two-hosts.ts";
