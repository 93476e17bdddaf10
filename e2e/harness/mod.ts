/**
 * Drives a real engine from outside: a daemon of its own folders, the docker and havre command lines, raw requests,
 * terminals; and looks afterwards that nothing is left.
 */
export * from "./daemon.ts";
export { buildxFolder, dockerCli, dockerCompose } from "./docker-cli.ts";
export * from "./engine.ts";
export * from "./networks.ts";
export * from "./own-registry.ts";
export { freePort } from "./ports.ts";
export * from "./process.ts";
export * from "./terminal.ts";
export * from "./two-hosts.ts";
