/**
 * OCI specification + mounts → process, through conmon and crun, runc or any OCI runtime by name; survives the daemon.
 *
 * Words: bundle, init, supervisor, observer, exec, exit file, attach socket, start pipe.
 * An observer answers for a watched container's processes what its filter asks, and writes down what they try.
 * Owns `<run>/exits`, the bundle folders' supervisor files and the cgroups below its parent.
 * Invariant: what it starts is a child of the supervisor, never of the daemon.
 */

export { canConfine, landlockVersion } from "./confine/mod.ts";
export { type ConmonOptions, ConmonRuntime } from "./conmon.ts";
export { removeLog } from "./log-files.ts";
export { type LogQuery, readLog } from "./log-reader.ts";
export { observe } from "./observe/observer.ts";
export { endObserver, observerEnded, startObserver } from "./observe/start.ts";
export * from "./runtime.ts";
export { sharedMemoryFolder } from "./shared-memory.ts";
