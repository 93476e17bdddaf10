/**
 * Ground words that every folder shares: errors, digests, identifiers, time, queues and locks, undo, the log.
 * Owns no state and knows nothing of containers. Imports nothing.
 */
export * from "./abortable.ts";
export * from "./async.ts";
export * from "./clock.ts";
export * from "./digest.ts";
export * from "./digester.ts";
export * from "./disposal.ts";
export * from "./errors.ts";
export * from "./files.ts";
export * from "./ids.ts";
export * from "./log.ts";
export * from "./nearest.ts";
export * from "./shared-work.ts";
export * from "./timeline.ts";
export * from "./version.ts";
