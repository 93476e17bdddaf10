import { statfsSync } from "node:fs";

/** Bytes and inodes of the file system that holds `path` (statfs(2)). */
export interface FileSystemUsage {
  readonly type: number;
  readonly total: number;
  readonly free: number;
  /** To unprivileged users. */
  readonly available: number;
  readonly inodes: number;
  readonly freeInodes: number;
}

export function fileSystemUsage(path: string): FileSystemUsage {
  const { type, bsize, blocks, bfree, bavail, files, ffree } = statfsSync(path);
  return {
    type,
    total: blocks * bsize,
    free: bfree * bsize,
    available: bavail * bsize,
    inodes: files,
    freeInodes: ffree,
  };
}
