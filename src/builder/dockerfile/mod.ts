/**
 * The Dockerfile language: text → tree of instructions → typed commands in stages, and what follows from them without running
 * anything (scopes of arguments, expansion of words, which stages a target needs, lint).
 *
 * Words: instruction (name, flags, arguments as written, each with its place), command (the same with types), stage, global argument,
 * word (text that may hold quotes and variables), scope. Owns no state. Invariant: everything keeps its place in the source, so every
 * complaint names file, line and column. Errors are `DockerfileError`, their messages BuildKit's.
 */
export * from "./commands.ts";
export { DockerfileError, quoteLines } from "./errors.ts";
export * from "./lint/mod.ts";
export { parseDockerfile, parseTrigger } from "./parse-dockerfile.ts";
export {
  type BuildPlan,
  type PlannedStage,
  type PlanOptions,
  planBuild,
  resolveFrom,
  type Source,
} from "./plan.ts";
export { type BuildArguments, formatPlatform, StageScope } from "./scope.ts";
export type { Position, SourceFile, SourceRange, Word } from "./source.ts";
export type { Directives, Heredoc, Instruction } from "./tree.ts";
