/**
 * The composition root: the only place that constructs the parts of the engine and wires them. Also what is done to a
 * host without an engine: looking at it (`doctor`) and taking a stopped daemon's traces off it (`cleanUp`).
 *
 * Owns the process: its signals, its folders, its end. Invariant: it may be killed at any instruction.
 */

export { observe } from "../runtime/mod.ts";
export { cleanUp } from "./clean-up.ts";
export { collectFacts, diagnose } from "./doctor/mod.ts";
export { runDaemon } from "./main.ts";
export * from "./options.ts";
export { policyOptions } from "./policy-options.ts";
export { type RegistryServerOptions, runRegistry } from "./registry.ts";
