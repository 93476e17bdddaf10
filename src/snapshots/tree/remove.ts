import { errnoOf, newId } from "../../base/mod.ts";
import {
  closeFd,
  type DirectoryEntry,
  DT_DIR,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openAt,
  readDirectory,
  renameAt,
  rmdirAt,
  unlinkAt,
} from "../../kernel/mod.ts";

/** Deeper folders are moved up beside the one removed: the depth of a tree must not cost descriptors. */
const DEEPEST = 64;

interface Level {
  readonly fd: number;
  readonly name: Uint8Array;
  entries: Iterator<DirectoryEntry>;
}

/**
 * Removes whatever `name` is in the folder `parent`, links never followed, names as raw bytes, any depth. Yields after
 * each removed name so that the caller may pause. Free of effect when there is nothing.
 */
export function* removal(parent: number, name: Uint8Array): Generator<void> {
  if (unlinked(parent, name)) return;
  const moved: Uint8Array[] = [];
  const levels: Level[] = [];
  try {
    descend(levels, parent, name);
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const { done, value } = level.entries.next();
      if (done) {
        if (!emptied(levels, parent)) continue;
      } else if (value.type !== DT_DIR && unlinked(level.fd, value.name)) {
        // Gone.
      } else if (levels.length < DEEPEST) {
        descend(levels, level.fd, value.name);
      } else {
        const aside = Buffer.from(`.removed-${newId()}`);
        renameAt(level.fd, value.name, parent, aside);
        moved.push(aside);
      }
      yield;
    }
  } finally {
    for (const { fd } of levels) closeFd(fd);
  }
  for (const aside of moved) yield* removal(parent, aside);
}

/** The same without pauses. */
export function removeNow(parent: number, name: Uint8Array): void {
  const steps = removal(parent, name);
  while (!steps.next().done);
}

function descend(levels: Level[], parent: number, name: Uint8Array): void {
  const fd = openAt(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  levels.push({ fd, name, entries: readDirectory(fd) });
}

/** Removes the last level's folder. When something appeared in it meanwhile it is read again. */
function emptied(levels: Level[], top: number): boolean {
  const level = levels.at(-1);
  if (!level) return true;
  const parent = levels.at(-2)?.fd ?? top;
  try {
    rmdirAt(parent, level.name);
  } catch (error) {
    if (errnoOf(error) !== "ENOTEMPTY") throw error;
    const fd = openAt(level.fd, ".", O_RDONLY | O_DIRECTORY);
    levels.pop();
    closeFd(level.fd);
    levels.push({ fd, name: level.name, entries: readDirectory(fd) });
    return false;
  }
  levels.pop();
  closeFd(level.fd);
  return true;
}

/** False when it is a folder. */
function unlinked(parent: number, name: Uint8Array): boolean {
  try {
    unlinkAt(parent, name);
  } catch (error) {
    const code = errnoOf(error);
    if (code === "EISDIR") return false;
    if (code !== "ENOENT") throw error;
  }
  return true;
}
