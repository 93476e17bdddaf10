/**
 * Compose: files → model → plan → steps. A project's files are read (`source`: YAML with places, variables, `.env`),
 * checked and brought to long form by one table of shapes (`shape`, `schema`), put together (`load`) and printed in
 * canonical form (`render`). What is there is observed, a pure plan leads from it to what is asked (`plan`), its steps
 * are done as fast as they depend on each other (`apply`) with the engine's requests (`request`), and it is looked again.
 *
 * Words: a *project* is what a set of files describes; a *service* is one kind of container of it, a *replica* one such
 * container; the *configuration hash* tells whether a container still is what its service's words ask for; an *orphan*
 * is a container whose service the files no longer have.
 *
 * Owns no state: what is there is asked of the engine, by the labels `com.docker.compose.*`, so that projects may be
 * handed to and taken over from docker compose, and any command may be cut off and run again. Source: the Compose
 * Specification.
 */
export { Actions } from "./apply/actions.ts";
export type {
  ContainerCondition,
  Engine,
  Hook,
  ImageMaker,
  NamedResources,
  OnDetail,
  PlacedFile,
} from "./apply/engine.ts";
export { dropFiles, secretContent, stageFiles } from "./apply/files.ts";
export { type RunOptions, runPlan, type StepEvent } from "./apply/run-plan.ts";
export { bringUp, type UpRequest } from "./apply/up.ts";
export { waitFor } from "./apply/wait.ts";
export { filesIn, findFiles } from "./load/files.ts";
export { type LoadOptions, loadProject, locate, projectName, projectVariables } from "./load/load.ts";
export type { Project } from "./load/model.ts";
export { isRemoteFile, RemoteFileNeeded } from "./load/remote.ts";
export { noSuchService, selectServices } from "./load/select.ts";
export { readMounts, readPorts } from "./load/words.ts";
export { ownResources, planChange, planDown, planRemove, planStart, planStop } from "./plan/down.ts";
export { planBuilds, serviceOfContext } from "./plan/images.ts";
export { type ContainerState, isOneOff, isRunning, numberOf, type Observed, serviceOf } from "./plan/observed.ts";
export { type Change, describePlan, type Plan, subject, words } from "./plan/step.ts";
export { configHash, renderProject } from "./render/project.ts";
export { type Body, containerRequest } from "./request/container.ts";
export { LABEL, type Labels } from "./request/labels.ts";
export { imageOf } from "./request/names.ts";
export type { Service } from "./schema/service.ts";
export type { TemplateVariable } from "./source/template.ts";
