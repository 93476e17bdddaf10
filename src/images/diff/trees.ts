import type { BigIntStats } from "node:fs";
import { HavreError } from "../../base/mod.ts";
import type { HeldIds } from "../../snapshots/mod.ts";
import type { FileDifference, FileState } from "./difference.ts";
import { Folder, type OpenFile } from "./folder.ts";

/** Each level keeps two descriptors open. */
const MAX_DEPTH = 400;
const CHUNK = 256 * 1024;
/** Bytes compared, an entry counting as a few, before others get their turn. */
const TURN = 8 << 20;
const ENTRY_COST = 16 * 1024;

/**
 * What differs between two trees, in order of path: every member that is only on one side, and those whose type, content,
 * mode, owner, link target, device or extended attributes differ. Times do not count. Contents are compared byte by byte: two files of the
 * same size and time need not be the same (reproducible builds set all times alike).
 */
export async function compareTrees(
  before: string | undefined,
  after: string | undefined,
  signal?: AbortSignal,
  ids: { readonly before?: HeldIds | undefined; readonly after?: HeldIds | undefined } = {},
): Promise<FileDifference[]> {
  const comparison = new Comparison(signal);
  using a = before === undefined ? undefined : Folder.open(before, ids.before);
  using b = after === undefined ? undefined : Folder.open(after, ids.after);
  await comparison.folders(a, b, "/", 0);
  return comparison.found;
}

class Comparison {
  readonly found: FileDifference[] = [];
  readonly #signal: AbortSignal | undefined;
  readonly #left = new Uint8Array(CHUNK);
  readonly #right = new Uint8Array(CHUNK);
  #work = 0;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  async folders(a: Folder | undefined, b: Folder | undefined, prefix: string, depth: number): Promise<void> {
    if (depth > MAX_DEPTH) {
      throw new HavreError(
        "resource-exhausted",
        `Folders are nested deeper than ${MAX_DEPTH} at ${prefix.slice(0, 100)}…`,
      );
    }
    const names = new Set([...(a?.names() ?? []), ...(b?.names() ?? [])]);
    for (const name of [...names].sort()) {
      await this.#turn(ENTRY_COST);
      await this.#member(a, b, prefix, name, depth);
    }
  }

  async #member(
    a: Folder | undefined,
    b: Folder | undefined,
    prefix: string,
    name: string,
    depth: number,
  ): Promise<void> {
    const [statA, statB] = [a?.stat(name), b?.stat(name)];
    const before = a && statA && stateOf(a, name, statA);
    const after = b && statB && stateOf(b, name, statB);
    const path = prefix + name;
    if (before && after) {
      const what = differences(before, after);
      if (!what.includes("type") && before.type === "file" && (await this.#contentDiffers(a, b, name, before, after))) {
        what.unshift("content");
      }
      if (what.length > 0) this.#report(path, { kind: "modified", before, after, what });
    } else if (before) this.#report(path, { kind: "deleted", before });
    else if (after) this.#report(path, { kind: "added", after });

    if (before?.type !== "directory" && after?.type !== "directory") return;
    using insideA = before?.type === "directory" ? a?.folder(name) : undefined;
    using insideB = after?.type === "directory" ? b?.folder(name) : undefined;
    await this.folders(insideA, insideB, `${path}/`, depth + 1);
  }

  async #contentDiffers(
    a: Folder | undefined,
    b: Folder | undefined,
    name: string,
    before: FileState,
    after: FileState,
  ): Promise<boolean> {
    if (before.size !== after.size) return true;
    if (before.size === 0) return false;
    using left = a?.file(name);
    using right = b?.file(name);
    return !left || !right || !(await this.#same(left, right));
  }

  async #same(left: OpenFile, right: OpenFile): Promise<boolean> {
    for (;;) {
      const [lengthLeft, lengthRight] = [left.read(this.#left), right.read(this.#right)];
      await this.#turn(lengthLeft + lengthRight);
      if (lengthLeft !== lengthRight) return false;
      if (lengthLeft === 0) return true;
      if (Buffer.compare(this.#left.subarray(0, lengthLeft), this.#right.subarray(0, lengthLeft)) !== 0) return false;
    }
  }

  #report(latin1: string, difference: Omit<FileDifference, "path">): void {
    const raw = Buffer.from(latin1, "latin1");
    const path = raw.toString("utf8");
    this.found.push({
      path,
      ...(Buffer.from(path).equals(raw) ? {} : { rawPath: new Uint8Array(raw) }),
      ...difference,
    });
  }

  async #turn(work: number): Promise<void> {
    this.#work += work;
    if (this.#work < TURN) return;
    this.#work = 0;
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#signal?.throwIfAborted();
  }
}

function differences(before: FileState, after: FileState): NonNullable<FileDifference["what"]>[number][] {
  if (before.type !== after.type) return ["type"];
  const what: NonNullable<FileDifference["what"]>[number][] = [];
  if (before.linkTarget !== after.linkTarget) what.push("target");
  if (before.device !== after.device) what.push("device");
  if (before.mode !== after.mode) what.push("mode");
  if (JSON.stringify(before.attributes) !== JSON.stringify(after.attributes)) what.push("attributes");
  if (before.uid !== after.uid || before.gid !== after.gid) what.push("owner");
  return what;
}

function stateOf(folder: Folder, name: string, stat: BigIntStats): FileState {
  const type = typeOf(stat);
  const target = type === "symlink" ? folder.linkTarget(name)?.toString("utf8") : undefined;
  const attributes = folder.attributes(name);
  return {
    type,
    mode: Number(stat.mode & 0o7777n),
    ...folder.owner(stat),
    size: type === "file" ? Number(stat.size) : 0,
    ...(target === undefined ? {} : { linkTarget: target }),
    ...(type === "char" || type === "block" ? { device: Number(stat.rdev) } : {}),
    ...(attributes === undefined ? {} : { attributes }),
  };
}

function typeOf(stat: BigIntStats): FileState["type"] {
  if (stat.isFile()) return "file";
  if (stat.isDirectory()) return "directory";
  if (stat.isSymbolicLink()) return "symlink";
  if (stat.isCharacterDevice()) return "char";
  if (stat.isBlockDevice()) return "block";
  return stat.isFIFO() ? "fifo" : "socket";
}
