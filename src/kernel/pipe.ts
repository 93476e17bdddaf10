import { ptr } from "bun:ffi";
import { closeSync } from "node:fs";
import { check, cstring, libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  pipe2: { args: ["ptr", "int"], returns: "int" },
  ioctl: { args: ["int", "u64", "ptr"], returns: "int" },
  mkfifo: { args: ["ptr", "u32"], returns: "int" },
});

const O_CLOEXEC = 0o2000000;
const FIONREAD = 0x541b;

/** Both ends of a pipe (pipe2(2)), each closed once: by `close…` or by disposal. */
export class Pipe implements Disposable {
  readonly read: number;
  readonly write: number;
  #readOpen = true;
  #writeOpen = true;

  constructor() {
    const pair = new Int32Array(2);
    check(libc().pipe2(ptr(pair), O_CLOEXEC), "pipe2", "a new pipe");
    this.read = pair[0] ?? -1;
    this.write = pair[1] ?? -1;
  }

  closeRead(): void {
    if (this.#readOpen) closeSync(this.read);
    this.#readOpen = false;
  }

  closeWrite(): void {
    if (this.#writeOpen) closeSync(this.write);
    this.#writeOpen = false;
  }

  /** Hands one end over: the caller closes it. */
  release(end: "read" | "write"): number {
    if (end === "read") this.#readOpen = false;
    else this.#writeOpen = false;
    return this[end];
  }

  [Symbol.dispose](): void {
    this.closeRead();
    this.closeWrite();
  }
}

/** Bytes that can be read at once from a pipe. */
export function bytesReadable(fd: number): number {
  const count = new Int32Array(1);
  check(libc().ioctl(fd, FIONREAD, ptr(count)), "ioctl(FIONREAD)", `descriptor ${fd}`);
  return count[0] ?? 0;
}

/** Makes a named pipe (mkfifo(3)). */
export function makeFifo(path: string, mode: number): void {
  check(libc().mkfifo(ptr(cstring(path)), mode), "mkfifo", path);
}
