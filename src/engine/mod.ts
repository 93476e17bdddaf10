/**
 * Containers on one host: the use-cases.
 *
 * Words: container (spec: what was asked; status: what was observed), exec, session, event, health, restart policy.
 * Owns container objects in the store. Invariants: `spec` is never rewritten by observation; a container's state moves only through the
 * lifecycle; whatever a start acquired is released when the container ends, however it ends.
 */
export * from "./container.ts";
export * from "./engine.ts";
export { type HostFacts, readHostFacts } from "./host-facts.ts";
