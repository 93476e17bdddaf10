/**
 * Compose: files → model → plan → steps. A project's files are read (`source`: YAML with places, variables, `.env`),
 * checked and brought to long form by one table of shapes (`shape`, `schema`), put together (`load`) and printed in
 * canonical form (`render`).
 *
 * Words: a *project* is what a set of files describes; a *service* is one kind of container of it, a *replica* one such
 * container; the *configuration hash* tells whether a container still is what its service's words ask for.
 *
 * Owns no state: what is there is asked of the engine, by the labels `com.docker.compose.*`, so that projects may be
 * handed to and taken over from docker compose. Source: the Compose Specification.
 */
export { type LoadOptions, type Located, loadProject, locate, normaliseName } from "./load/load.ts";
export type { Project } from "./load/model.ts";
export { configHash, renderProject, withoutUnused } from "./render/project.ts";
export type { FileObject, Network, Volume } from "./schema/project.ts";
export type { Service } from "./schema/service.ts";
