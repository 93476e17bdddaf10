/**
 * Pure decisions on what a container may do: capabilities, system call filters, kernel paths, devices, security options;
 * and on a registry: who may do what with a repository, which tags stay. A decision carries why it was taken in `explain`.
 *
 * Owns no state, touches nothing: the host's facts come as arguments.
 */
export * from "./apparmor.ts";
export * from "./apparmor-hardened.ts";
export * from "./audit/container-checks.ts";
export * from "./audit/host-checks.ts";
export * from "./audit/image-checks.ts";
export * from "./audit/practices.ts";
export * from "./capabilities.ts";
export * from "./devices.ts";
export * from "./egress-refusals.ts";
export * from "./landlock.ts";
export * from "./learn/mod.ts";
export * from "./name-pattern.ts";
export * from "./paths.ts";
export * from "./profiles/apply.ts";
export * from "./profiles/egress.ts";
export * from "./profiles/grants.ts";
export * from "./profiles/profiles.ts";
export * from "./refusals.ts";
export * from "./registry-roles.ts";
export * from "./seccomp.ts";
export { parseSeccompProfile, type SourceProfile } from "./seccomp-profile.ts";
export * from "./security-options.ts";
export * from "./tag-retention.ts";
