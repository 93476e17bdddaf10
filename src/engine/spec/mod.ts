/**
 * From a container as asked to the OCI runtime specification that makes it so, a theme per file.
 */
export { buildRuntimeSpec } from "./build.ts";
export { parseDeviceRule } from "./devices.ts";
export { buildEnvironment } from "./environment.ts";
export type { BuiltSpec, SpecInput } from "./input.ts";
export { linkEnvironment } from "./link-environment.ts";
export { joinedContainer, privatePid } from "./namespaces.ts";
export { buildResourceChange, buildResources } from "./resources.ts";
export { mergeTmpfsOptions, tmpfsData } from "./tmpfs.ts";
export { type ResolvedUser, resolveUser } from "./user.ts";
