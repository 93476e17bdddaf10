import { check, errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  flock: { args: ["int", "int"], returns: "int" },
});

const LOCK_EX = 2;
const LOCK_NB = 4;
const LOCK_UN = 8;
const EAGAIN = 11;

/** Locks the file behind `fd` for this process until it closes it or ends (flock(2)). False: another process has it. */
export function lockFile(fd: number): boolean {
  if (libc().flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const number = errno();
  if (number === EAGAIN) return false;
  throw systemError("flock", `descriptor ${fd}`, number);
}

export function unlockFile(fd: number): void {
  check(libc().flock(fd, LOCK_UN), "flock", `descriptor ${fd}`);
}
