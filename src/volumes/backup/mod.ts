/**
 * Backups of volumes: one file that stands alone, or a folder that has each piece of content once.
 *
 * Words: archive (a volume as a tar), note (what it is of), mark (note and end inside a tar), chunk (content between two cuts),
 * repository (a folder of backups), manifest (one backup in it), lock and opener (what closes and opens it), retention.
 * Owns nothing of its own but what it is told to write. Invariants: a backup is there whole or not at all; what is restored
 * has been checked to its last byte before the volume changes; keys are never written down unlocked.
 */
export * from "./backups.ts";
export type { BackupNote } from "./note.ts";
export type { Retention } from "./retention.ts";
export { dueAt, type VolumeSchedule, VolumeSchedules } from "./schedules.ts";
export type { Lock, Opener } from "./sealing.ts";
