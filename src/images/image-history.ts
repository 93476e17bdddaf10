import type { CheckedImage } from "./check.ts";
import type { Difference, TreeSource } from "./diff/difference.ts";
import type { Image } from "./images.ts";
import type { Collected } from "./keeper.ts";
import type { LogEntry } from "./log.ts";
import type { RollbackTarget, TagHistoryEntry } from "./tag-history.ts";
import type { Account, DiskUsage } from "./usage.ts";

/** Images as a history: how they came about, what differs, where names pointed. */
export interface ImageHistory {
  /** How an image was put together, latest step first. `not-found`. */
  log(nameOrId: string): readonly LogEntry[];
  /** What differs between two images, or between an image and any tree (a container's). `not-found`. */
  diff(before: string | TreeSource, after: string | TreeSource, signal?: AbortSignal): Promise<Difference>;
  /** Every pointer a tag ever had, oldest first, also when the tag is gone. `not-found` for a name never used. */
  tagHistory(name: string): readonly TagHistoryEntry[];
  /** Points a tag to what it pointed to before. `not-found`; `failed-precondition` when that image was removed. */
  rollback(name: string, target: RollbackTarget): Promise<Image>;
}

/** What images cost on disk, and what can go. */
export interface ImageAccounts {
  /** Reads everything of an image that is here anew. `not-found`. */
  check(nameOrId: string, signal?: AbortSignal): Promise<CheckedImage>;
  diskUsage(): DiskUsage;
  /** Every blob, layer and writable layer with who needs it. */
  why(): Promise<readonly Account[]>;
  /** Removes every blob and layer that nothing needs: after a start, and whenever disk is wanted back. */
  collect(): Promise<Collected>;
}
