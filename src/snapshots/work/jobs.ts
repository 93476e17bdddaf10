import type { Digest } from "../../base/mod.ts";
import { AT_FDCWD, closeFd, O_DIRECTORY, O_RDONLY, openAt, syncFileSystem } from "../../kernel/mod.ts";
import type { Usage } from "../snapshots.ts";
import { removal } from "../tree/remove.ts";
import { type AppliedTree, type ApplyLayerJob, applyLayer } from "./apply-layer.ts";
import { type CopiedTree, type CopyTreeJob, copyTree } from "./copy-tree.ts";
import { type IndexedLayer, type IndexLayerJob, indexLayer } from "./index-layer.ts";
import { type Change, type ListChangesJob, listChanges } from "./list-changes.ts";
import { type PackLayerJob, packLayer } from "./pack-layer.ts";
import { type PackTreeJob, packTree } from "./pack-tree.ts";
import { PAUSE, type Work } from "./steps.ts";
import { markOf, sealTree, type TreeSeal } from "./tree-seal.ts";
import { type UnpackTreeJob, unpackTree } from "./unpack-tree.ts";
import { isSmall, usageOf } from "./usage.ts";

export interface UsageJob {
  readonly kind: "usage";
  readonly folder: string;
}

export interface RemoveJob {
  readonly kind: "remove";
  readonly folder: string;
  readonly name: string;
}

/** Whether a tree takes no noticeable time to remove. */
export interface IsSmallJob {
  readonly kind: "is-small";
  readonly folder: string;
}

/** Whether a tree was touched: a mark to compare. */
export interface MarkTreeJob {
  readonly kind: "mark-tree";
  readonly folder: string;
}

/** Reads a whole tree. */
export interface SealTreeJob {
  readonly kind: "seal-tree";
  readonly folder: string;
}

/** Writes the file system that holds `folder` to disk. */
export interface SyncJob {
  readonly kind: "sync";
  readonly folder: string;
}

/** Each kind of work on trees as plain values, and what it returns. */
export interface Jobs {
  readonly "apply-layer": { readonly job: ApplyLayerJob; readonly result: AppliedTree };
  readonly "copy-tree": { readonly job: CopyTreeJob; readonly result: CopiedTree };
  readonly "index-layer": { readonly job: IndexLayerJob; readonly result: IndexedLayer };
  readonly "list-changes": { readonly job: ListChangesJob; readonly result: readonly Change[] };
  readonly "pack-layer": { readonly job: PackLayerJob; readonly result: undefined };
  readonly "pack-tree": { readonly job: PackTreeJob; readonly result: undefined };
  readonly "unpack-tree": { readonly job: UnpackTreeJob; readonly result: undefined };
  readonly "mark-tree": { readonly job: MarkTreeJob; readonly result: Digest };
  readonly "seal-tree": { readonly job: SealTreeJob; readonly result: TreeSeal };
  readonly sync: { readonly job: SyncJob; readonly result: undefined };
  readonly usage: { readonly job: UsageJob; readonly result: Usage };
  readonly "is-small": { readonly job: IsSmallJob; readonly result: boolean };
  readonly remove: { readonly job: RemoveJob; readonly result: undefined };
}

export type JobKind = keyof Jobs;
export type Job = Jobs[JobKind]["job"];

/** The work that a job asks for, not yet begun. */
export function workFor(job: Job): Work<unknown> {
  switch (job.kind) {
    case "apply-layer":
      return applyLayer(job);
    case "copy-tree":
      return copyTree(job);
    case "index-layer":
      return indexLayer(job);
    case "list-changes":
      return listChanges(job);
    case "pack-layer":
      return packLayer(job);
    case "pack-tree":
      return packTree(job);
    case "unpack-tree":
      return unpackTree(job);
    case "mark-tree":
      return inFolder(job.folder, markOf);
    case "seal-tree":
      return inFolder(job.folder, sealTree);
    case "sync":
      return inFolder(job.folder, sync);
    case "usage":
      return inFolder(job.folder, usageOf);
    case "is-small":
      return inFolder(job.folder, isSmall);
    case "remove":
      return inFolder(job.folder, (folder) => remove(folder, job.name));
  }
}

function* inFolder<T>(path: string, work: (folder: number) => Work<T>): Work<T> {
  const folder = openAt(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  try {
    return yield* work(folder);
  } finally {
    closeFd(folder);
  }
}

// biome-ignore lint/correctness/useYield: one system call, nothing to pause in
function* sync(folder: number): Work<undefined> {
  syncFileSystem(folder);
  return undefined;
}

function* remove(folder: number, name: string): Work<undefined> {
  for (const _ of removal(folder, Buffer.from(name))) yield PAUSE;
  return undefined;
}
