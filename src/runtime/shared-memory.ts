import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { mount, unmount } from "../kernel/mod.ts";

/** Where a container's shareable memory is mounted on the host: other containers bind it from here. */
export function sharedMemoryFolder(bundle: string): string {
  return join(bundle, "shm");
}

export interface SharedMemory {
  /** Bytes. */
  readonly size: number;
  /** Ids of the host; root's unless told. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Mounts memory in the bundle. */
export function openSharedMemory(bundle: string, { size, owner }: SharedMemory): void {
  const folder = sharedMemoryFolder(bundle);
  mkdirSync(folder, { mode: 0o700, recursive: true });
  const owned = owner ? [`uid=${owner.uid}`, `gid=${owner.gid}`] : [];
  const options = ["nosuid", "noexec", "nodev", "mode=1777", `size=${size}`, ...owned];
  mount({ type: "tmpfs", source: "shm", options }, folder);
}

/** Takes it away; containers that joined keep what they see. Free of effect when there is none. */
export function closeSharedMemory(bundle: string): void {
  const folder = sharedMemoryFolder(bundle);
  if (!existsSync(folder)) return;
  unmount(folder, { detach: true });
  rmdirSync(folder);
}
