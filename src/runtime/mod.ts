/**
 * OCI specification + mounts → process, through conmon and crun, runc or any OCI runtime by name; survives the daemon.
 *
 * Words: bundle, init, supervisor, exec, exit file, attach socket, start pipe.
 * Owns `<run>/exits`, the bundle folders' supervisor files and the cgroups below its parent.
 * Invariant: what it starts is a child of the supervisor, never of the daemon.
 */

export { canConfine, landlockVersion } from "./confine/mod.ts";
export { type ConmonOptions, ConmonRuntime } from "./conmon.ts";
export { removeLog } from "./log-files.ts";
export { type LogQuery, readLog } from "./log-reader.ts";
export * from "./runtime.ts";
export { sharedMemoryFolder } from "./shared-memory.ts";
