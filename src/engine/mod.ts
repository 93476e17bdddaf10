/**
 * Containers on one host: the use-cases.
 *
 * Words: container (spec: what was asked; status: what was observed), exec, session, event, health, restart policy.
 * Owns container objects in the store. Invariants: `spec` is never rewritten by observation; a container's state moves only through the
 * lifecycle; whatever a start acquired is released when the container ends, however it ends.
 */
export { ApplicationMoves, type ImportedApplication } from "./apps/mod.ts";
export { ContainerArchives } from "./archives.ts";
export { Audits } from "./audit.ts";
export { type CommitOptions, ContainerCommits } from "./commits.ts";
export { ContainerComparisons } from "./comparisons.ts";
export * from "./container.ts";
export { ContainerLifecycle } from "./containers.ts";
export type { EngineConfig, EngineContext, EnginePaths } from "./context.ts";
export * from "./engine.ts";
export { EventLog } from "./events.ts";
export { ContainerExecs } from "./execs.ts";
export { Grants, type GrantView } from "./grants.ts";
export { type HostFacts, readHostFacts } from "./host-facts.ts";
export { containerUsers, volumeUsers } from "./image-users.ts";
export { recoverContainers } from "./lifecycle/recover.ts";
export { RemovedLogs } from "./logs/removed.ts";
export { ContainerNetworks, ContainerPorts, resolverOverrides } from "./networking/mod.ts";
export { ContainerObservation } from "./observation.ts";
export { Observations } from "./observe/observations.ts";
export { WatchedRefusals } from "./observe/watched-refusals.ts";
export { type ContainerPlacement, type GraphDriver, Placements } from "./placement.ts";
export { type RefusalReport, Refusals } from "./refusals.ts";
export { type StepRequest, stepRuntimeSpec } from "./spec/step.ts";
export { StreamHub } from "./streams/hub.ts";
export { ContainerStreams } from "./streams/streams.ts";
export { MountedTrees } from "./trees.ts";
export { VolumePauses } from "./volume-pauses.ts";
export { Waiters } from "./waiters.ts";
