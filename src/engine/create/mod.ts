/** From a request to a container's specification: checks with Docker's texts, defaults, the image's configuration, mounts. */
export { normaliseHostConfig } from "./defaults.ts";
export { logLimits } from "./log-config.ts";
export { mergeImageConfig } from "./merge.ts";
export { makeMountSources, resolveMounts, volumeWishes } from "./mount-points.ts";
export { type PolicySettings, refusePrivilegedExec, underProfile } from "./profile.ts";
export { type CheckedUpdate, validateUpdate } from "./update.ts";
export { type CreateGround, requireCommand, validateCreate } from "./validate.ts";
