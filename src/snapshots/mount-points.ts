import { chmodSync, existsSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The number grows when the tree changes: one that exists is in use by mounted containers. */
export const MOUNT_POINTS = "mount-points-1";

const FOLDERS = ["dev", "dev/pts", "dev/shm", "etc", "proc", "sys"];
const LINK = "etc/mtab";
const FILES = [".dockerenv", "dev/console", "etc/hostname", "etc/hosts", "etc/resolv.conf"];

/**
 * Makes the tree below every image that has what a container's runtime mounts onto (the paths of Docker's init layer).
 * So they exist in any image, and are no change that the container made.
 */
export function makeMountPoints(folder: string, staged: string): void {
  if (existsSync(folder)) return;
  mkdirSync(staged, { mode: 0o755 });
  chmodSync(staged, 0o755);
  for (const name of FOLDERS) {
    mkdirSync(join(staged, name));
    chmodSync(join(staged, name), 0o755);
  }
  for (const name of FILES) {
    writeFileSync(join(staged, name), "");
    chmodSync(join(staged, name), 0o755);
  }
  symlinkSync("/proc/mounts", join(staged, LINK));
  renameSync(staged, folder);
}

/** Whether an absolute path is in every container's tree, image or no image: no change of anybody's. */
export function isMountPoint(path: string): boolean {
  const name = path.slice(1);
  return FOLDERS.includes(name) || FILES.includes(name) || name === LINK;
}
