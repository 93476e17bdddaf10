import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
} from "node:fs";
import { errnoOf } from "../../base/mod.ts";
import { attributesOf, type HeldIds, idInside } from "../../snapshots/mod.ts";

/** Missing among Node's constants (open(2)). */
const O_CLOEXEC = 0o2000000;
const OPEN_FOLDER = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | O_CLOEXEC;
const OPEN_FILE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | O_CLOEXEC;

/**
 * An open folder of a tree that may not be trusted and may change meanwhile (a running container's). Members are reached
 * through its descriptor, one name at a time, so a link put in the way never leads outside. Names are bytes as latin1.
 */
export class Folder implements Disposable {
  readonly #descriptor: number;

  readonly #ids: HeldIds | undefined;

  private constructor(descriptor: number, ids: HeldIds | undefined) {
    this.#descriptor = descriptor;
    this.#ids = ids;
  }

  /** `ids`: what the tree's owners are shown as; absent: as they are. */
  static open(path: string, ids?: HeldIds): Folder {
    return new Folder(openSync(path, OPEN_FOLDER), ids);
  }

  /** Whose a file is inside the tree. */
  owner({ uid, gid }: BigIntStats): { readonly uid: number; readonly gid: number } {
    const [user, group] = [Number(uid), Number(gid)];
    if (!this.#ids) return { uid: user, gid: group };
    const { uid: firstUser, gid: firstGroup, size } = this.#ids;
    return { uid: idInside(user, firstUser, size), gid: idInside(group, firstGroup, size) };
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  names(): readonly string[] {
    return readdirSync(`/proc/self/fd/${this.#descriptor}`, { encoding: "buffer" }).map((name) =>
      name.toString("latin1"),
    );
  }

  /** Of the name itself, not of what a link points to; undefined when it is gone. */
  stat(name: string): BigIntStats | undefined {
    return lstatSync(this.#at(name), { bigint: true, throwIfNoEntry: false });
  }

  /** A folder in it; undefined when the name is gone or something else. */
  folder(name: string): Folder | undefined {
    return orGone(() => new Folder(openSync(this.#at(name), OPEN_FOLDER), this.#ids));
  }

  linkTarget(name: string): Buffer | undefined {
    return orGone(() => readlinkSync(this.#at(name), { encoding: "buffer" }));
  }

  /** Extended attributes; undefined when there are none. */
  attributes(name: string): Record<string, string> | undefined {
    const found = orGone(() => attributesOf(this.#at(name)));
    if (!found || found.size === 0) return undefined;
    return Object.fromEntries([...found].map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
  }

  /** A regular file, opened; undefined when the name is gone or something else. */
  file(name: string): OpenFile | undefined {
    const descriptor = orGone(() => openSync(this.#at(name), OPEN_FILE));
    if (descriptor === undefined) return undefined;
    if (fstatSync(descriptor).isFile()) return new OpenFile(descriptor);
    closeSync(descriptor);
    return undefined;
  }

  #at(name: string): Buffer {
    return Buffer.concat([Buffer.from(`/proc/self/fd/${this.#descriptor}/`), Buffer.from(name, "latin1")]);
  }
}

export class OpenFile implements Disposable {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** Fills `buffer` as far as the file goes and returns the number of bytes. */
  read(buffer: Uint8Array): number {
    let filled = 0;
    while (filled < buffer.length) {
      const read = readSync(this.#descriptor, buffer, filled, buffer.length - filled, null);
      if (read === 0) break;
      filled += read;
    }
    return filled;
  }

  /** Bytes from a position on; fewer at the end of the file. */
  at(position: number, length: number): Buffer {
    const buffer = Buffer.alloc(Math.min(length, Math.max(0, fstatSync(this.#descriptor).size - position)));
    return buffer.subarray(0, buffer.length === 0 ? 0 : readSync(this.#descriptor, buffer, 0, buffer.length, position));
  }

  /** The whole content up to `limit` bytes; undefined when it is more. */
  text(limit: number): string | undefined {
    const buffer = Buffer.alloc(Math.min(limit, fstatSync(this.#descriptor).size) + 1);
    const length = this.read(buffer);
    return length > limit ? undefined : buffer.subarray(0, length).toString("utf8");
  }
}

const GONE = new Set(["ENOENT", "ENOTDIR", "ELOOP", "EINVAL", "ENXIO"]);

function orGone<T>(open: () => T): T | undefined {
  try {
    return open();
  } catch (error) {
    if (GONE.has(errnoOf(error) ?? "")) return undefined;
    throw error;
  }
}
