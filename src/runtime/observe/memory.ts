import { closeSync, openSync, readFileSync, readlinkSync, readSync } from "node:fs";
import { posix } from "node:path";

const PATH_LIMIT = 4096;
const PAGE = 4096n;
const AT_FDCWD = -100;
const LINKS_LIMIT = 40;

/** What a waiting thread points at: it does not run meanwhile, so what is read is what the call was given. */
export class ThreadMemory {
  readonly #thread: number;
  readonly #memory: number;

  /** Throws when the thread is gone. */
  constructor(thread: number) {
    this.#thread = thread;
    this.#memory = openSync(`/proc/${thread}/mem`, "r");
  }

  close(): void {
    closeSync(this.#memory);
  }

  /** As many of `length` bytes as are mapped. */
  bytes(address: bigint, length: number): Buffer {
    const buffer = Buffer.alloc(length);
    // One that crosses into a page that is not there is read up to it.
    const first = Math.min(length, Number(PAGE - (address % PAGE)));
    const got = readSync(this.#memory, buffer, 0, first, address);
    if (got < first || first === length) return buffer.subarray(0, got);
    try {
      return buffer.subarray(0, got + readSync(this.#memory, buffer, got, length - got, address + BigInt(got)));
    } catch {
      return buffer.subarray(0, got);
    }
  }

  text(address: bigint): string {
    if (address === 0n) return "";
    const bytes = this.bytes(address, PATH_LIMIT);
    const end = bytes.indexOf(0);
    return bytes.toString("utf8", 0, end < 0 ? bytes.length : end);
  }

  /**
   * The path of a call as the container sees it, its folder's links followed.
   * @param folder the descriptor that a relative one begins at.
   */
  path(address: bigint, folder: bigint | number = AT_FDCWD): string {
    const given = this.text(address);
    const base = given.startsWith("/") ? "/" : this.folder(folder);
    const whole = posix.resolve(base, given);
    return posix.join(this.#resolved(posix.dirname(whole)), posix.basename(whole));
  }

  /** What a descriptor stands for. */
  folder(descriptor: bigint | number): string {
    const fd = Number(BigInt.asIntN(32, BigInt(descriptor)));
    const link = fd === AT_FDCWD ? `/proc/${this.#thread}/cwd` : `/proc/${this.#thread}/fd/${fd}`;
    return readlinkSync(link).replace(/ \(deleted\)$/, "");
  }

  #resolved(path: string): string {
    let left = path.split("/").filter((part) => part !== "");
    let done = "/";
    for (let links = 0; left.length > 0 && links < LINKS_LIMIT; ) {
      const [part = "", ...rest] = left;
      const next = posix.join(done, part);
      let target: string | undefined;
      // The kernel's own links (/proc/self) mean something else to each reader.
      if (!next.startsWith("/proc/"))
        try {
          target = readlinkSync(`/proc/${this.#thread}/root${next}`);
        } catch {
          // No link, or nothing there.
        }
      if (target === undefined) {
        done = next;
        left = rest;
      } else {
        links += 1;
        left = [...posix.resolve(done, target).split("/"), ...rest].filter((one) => one !== "");
        done = "/";
      }
    }
    return posix.join(done, ...left);
  }
}

/** The program's name; what it has become by execve since. */
export function programName(thread: number): string {
  try {
    return readFileSync(`/proc/${thread}/comm`, "utf8").trimEnd();
  } catch {
    return "";
  }
}
