/**
 * Durable data and its drivers: named folders that outlive the containers they are mounted in.
 *
 * Words: volume, driver, scope, anonymous (made for one container, named by chance), dangling (no container has it), holder
 * (a container or a task that has it mounted), wish (what a container asks for), mount point.
 * Owns `<root>/volumes`, the mounts below it and volume objects in the store. Invariants: a volume that a container names is not
 * removed; one that is being removed is gone for everyone; a folder with data is never deleted because its object is missing.
 */
export { CLONE_LABEL, SNAPSHOT_LABEL, type VolumeArchive, VolumeArchives, type VolumePauser } from "./archives.ts";
export * from "./backup/mod.ts";
export * from "./driver.ts";
export { HostVolumes, type HostVolumesOptions } from "./host-volumes.ts";
export { DOCKER_PLUGIN_FOLDERS, type PluginFolders } from "./plugins/discovery.ts";
export { ANONYMOUS_LABEL, type Volume, volumeKind } from "./volume.ts";
export * from "./volumes.ts";
