import {
  AT_FDCWD,
  closeFd,
  type FileStat,
  getXattr,
  isDirectory,
  isRegular,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  pathBelow,
  statAtIfAny,
} from "../../kernel/mod.ts";
import type { ChangeKind } from "../snapshots.ts";
import { sortedEntries } from "../tree/listing.ts";
import { type Found, listLower, lookUpLower } from "../tree/lower.ts";
import { type ByteName, fromBytes } from "../tree/names.ts";
import { isOpaque, isWhiteout } from "../tree/whiteout.ts";
import { PAUSE, type Work } from "./steps.ts";

export interface ListChangesJob {
  readonly kind: "list-changes";
  readonly upper: string;
  /** Trees below it, the highest first. */
  readonly lower: readonly string[];
}

export interface Change {
  readonly path: ByteName;
  readonly kind: ChangeKind;
}

/**
 * What an overlay's upper folder changes, as `docker diff` says it: a folder is modified when something in it is, of a
 * removed folder only itself is named, a file that was only touched by copying it up is not.
 */
export function* listChanges({ upper, lower }: ListChangesJob): Work<readonly Change[]> {
  const root = openAt(AT_FDCWD, upper, O_RDONLY | O_DIRECTORY);
  try {
    const changes: Change[] = [];
    yield* compareFolder({ lower, changes }, root, "", false);
    return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  } finally {
    closeFd(root);
  }
}

interface Comparison {
  readonly lower: readonly string[];
  readonly changes: Change[];
}

/** `covered`: nothing of the folder below shows through, so what is not in this one is gone. */
function* compareFolder(comparison: Comparison, folder: number, prefix: ByteName, covered: boolean): Work<void> {
  const { lower, changes } = comparison;
  const gone = new Set(covered ? listLower(lower, prefix) : []);
  for (const { name } of sortedEntries(folder)) {
    const stat = statAtIfAny(folder, name);
    if (!stat) continue;
    const text = fromBytes(name);
    const path = prefix === "" ? text : `${prefix}/${text}`;
    const before = lookUpLower(lower, path);
    if (isWhiteout(stat)) {
      if (before && !covered) changes.push({ path: `/${path}`, kind: "deleted" });
      continue;
    }
    gone.delete(text);
    const at = changes.length;
    const differs = before === undefined || isDifferent(before, stat, pathBelow(folder, name));
    if (differs) changes.push({ path: `/${path}`, kind: before ? "modified" : "added" });
    if (isDirectory(stat)) {
      const child = openAt(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
      try {
        const opaque = covered || isOpaque(pathBelow(folder, name));
        yield* compareFolder(comparison, child, path, opaque);
      } finally {
        closeFd(child);
      }
      if (!differs && changes.length > at) changes.push({ path: `/${path}`, kind: "modified" });
    }
    yield PAUSE;
  }
  for (const name of gone) changes.push({ path: `/${prefix}/${name}`, kind: "deleted" });
}

/** Docker's rule (moby, pkg/archive/changes_unix.go): times and sizes count for all but folders. */
function isDifferent(before: Found, now: FileStat, path: Uint8Array): boolean {
  const old = before.stat;
  if (old.mode !== now.mode || old.uid !== now.uid || old.gid !== now.gid) return true;
  if (old.deviceMajor !== now.deviceMajor || old.deviceMinor !== now.deviceMinor) return true;
  if (isDirectory(now)) return false;
  if (old.size !== now.size || !sameTime(old.mtime, now.mtime)) return true;
  if (!isRegular(now)) return false;
  const [was, is] = [getXattr(before.path, CAPABILITY), getXattr(path, CAPABILITY)];
  return Buffer.compare(was ?? NOTHING, is ?? NOTHING) !== 0;
}

const CAPABILITY = "security.capability";
const NOTHING = new Uint8Array();
const SECOND = 1_000_000_000n;

/** An archive may have kept whole seconds only. */
function sameTime(a: bigint, b: bigint): boolean {
  return a === b || (a / SECOND === b / SECOND && (a % SECOND === 0n || b % SECOND === 0n));
}
