/**
 * The command line: words to commands, flags to values, answers to tables, templates and streams.
 *
 * Words: command, flag, context (where a command writes and whom it asks), places (where its daemon lives).
 * Owns no state. Invariant: a command loads only what it runs; start-up time is what people feel.
 */

export type { DaemonSettings, HostCheck, RegistrySettings } from "./context.ts";
export { defaultSurroundings, runCommandLine, type Surroundings } from "./main.ts";
export type { RawTerminal } from "./output/terminal.ts";
