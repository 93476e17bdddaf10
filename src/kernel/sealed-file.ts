import { closeSync, readFileSync, writeSync } from "node:fs";
import { check, cstring, libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  memfd_create: { args: ["ptr", "u32"], returns: "int" },
  fcntl: { args: ["int", "int", "int"], returns: "int" },
});

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** SEAL, SHRINK, GROW, WRITE: nothing of it can change any more. */
const ALL_SEALS = 0xf;

/** A copy of a file in memory that nobody can change, reachable by a path while this process holds it (memfd_create(2)). */
export class SealedFile implements Disposable {
  readonly #fd: number;

  constructor(source: string) {
    const bytes = readFileSync(source);
    const fd = check(libc().memfd_create(cstring("sealed"), MFD_CLOEXEC | MFD_ALLOW_SEALING), "memfd_create", source);
    try {
      for (let at = 0; at < bytes.byteLength; ) at += writeSync(fd, bytes, at);
      check(libc().fcntl(fd, F_ADD_SEALS, ALL_SEALS), "fcntl", `seals of ${source}`);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#fd = fd;
  }

  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd}`;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
