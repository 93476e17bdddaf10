/**
 * Dockerfile → graph → solver → operations: `dockerfile/` reads the language, `graph/` makes of it a plan and a graph of
 * vertices without running anything, `solver/` makes their results (known ones from the cache, independent ones at the
 * same time, equal ones of several builds once), `ops/` is what a vertex does: run a process, copy files, make a folder.
 *
 * Words: instruction (a line of the text, as a tree), command (an instruction with types), stage, target; vertex (an
 * operation on the results of others), tree (what a vertex comes to: layers, or files to read from), cache key, record
 * (a step whose result is known), context (files of the client), cache folder (`RUN --mount=type=cache`).
 * Owns build records in the store, `<root>/builder` and `<run>/build`. Invariants: a cache key says everything a result
 * depends on, by content and never by time; a record is written only when its layer is whole; a step that fails or is
 * stopped leaves no process, mount, address or layer.
 */

export type { BuildObserver, BuildRequest, BuildResult } from "./build-request.ts";
export { Builder } from "./builder.ts";
export { type BuildkitConnections, lazyBuildkit } from "./buildkit/mod.ts";
export { RemoteCaches } from "./cache/remote-caches.ts";
export {
  type ClassicBuild,
  ClassicBuilds,
  type ClassicSpeaker,
  type FetchImage,
  type FetchOptions,
} from "./classic/classic-builds.ts";
export * from "./dockerfile/mod.ts";
export * from "./graph/graph.ts";
export { imageConfig } from "./graph/image-config.ts";
export { type ExecLimits, type ExecOp, NO_LIMITS } from "./graph/ops.ts";
export type { FindImage, GraphOptions } from "./graph/options.ts";
export { inOrder, type Lines, type Vertex } from "./graph/vertex.ts";
export type { BuildLine, PlannedVertex } from "./native/lines.ts";
export { type NativeBuild, NativeBuilds, type NativeListener } from "./native/native-builds.ts";
export type { Confinement, OpContext, StepProcess } from "./ops/context.ts";
export { StepFailed } from "./ops/exec.ts";
export type { StampedFile } from "./ops/files/kept-contexts.ts";
export type { FileSource, SourceFile as BuildFile } from "./ops/files/source.ts";
export type { TarSource } from "./ops/files/tar-source.ts";
export type { Lender } from "./ops/mounts.ts";
export type { BuildCache, CacheEntry, CachePrune } from "./solver/build-cache.ts";
export { type BuildRecord, buildRecordKind, neededByBuildCache } from "./solver/cache.ts";
export type { BuildEvent, OnBuildEvent } from "./solver/events.ts";
export { BuildFailed } from "./solver/failure.ts";
export type { Supplies } from "./solver/solver.ts";
export type { LayeredTree, Tree } from "./solver/tree.ts";
