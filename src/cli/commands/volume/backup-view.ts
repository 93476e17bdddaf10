import { resolve } from "node:path";

/** A backup as the daemon tells of it. */
export interface BackupView {
  readonly id: string;
  readonly volume: string;
  /** Milliseconds since the epoch. */
  readonly taken: number;
  readonly size: number;
  readonly stored: number;
}

/** A path as the daemon takes it: absolute, and with its last slash, which says that it is a folder. */
export function daemonPath(path: string): string {
  return path.endsWith("/") && path !== "/" ? `${resolve(path)}/` : resolve(path);
}
