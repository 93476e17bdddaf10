/**
 * Pure decisions on what a container may do: capabilities, system call filters, kernel paths, devices, security options.
 * A decision carries why it was taken in `explain`.
 *
 * Owns no state, touches nothing: the host's facts come as arguments.
 */
export * from "./apparmor.ts";
export * from "./audit/container-checks.ts";
export * from "./audit/host-checks.ts";
export * from "./audit/image-checks.ts";
export * from "./audit/practices.ts";
export * from "./capabilities.ts";
export * from "./devices.ts";
export * from "./paths.ts";
export * from "./seccomp.ts";
export { parseSeccompProfile, type SourceProfile } from "./seccomp-profile.ts";
export * from "./security-options.ts";
