import { type FileStat, STATX_BYTES, statFrom } from "./file-stat.ts";
import { check, cstring, errno, libcSymbols, systemError } from "./libc.ts";

/**
 * File calls relative to a directory's descriptor, on names as raw bytes. `name` is one component wherever the tree is
 * not trusted: no call here follows a link in the last component, but the kernel does follow them before it.
 */
const libc = libcSymbols({
  openat: { args: ["int", "ptr", "int", "u32"], returns: "int" },
  close: { args: ["int"], returns: "int" },
  mkdirat: { args: ["int", "ptr", "u32"], returns: "int" },
  mknodat: { args: ["int", "ptr", "u32", "u64"], returns: "int" },
  symlinkat: { args: ["ptr", "int", "ptr"], returns: "int" },
  linkat: { args: ["int", "ptr", "int", "ptr", "int"], returns: "int" },
  unlinkat: { args: ["int", "ptr", "int"], returns: "int" },
  renameat: { args: ["int", "ptr", "int", "ptr"], returns: "int" },
  readlinkat: { args: ["int", "ptr", "ptr", "u64"], returns: "int" },
  fchown: { args: ["int", "u32", "u32"], returns: "int" },
  fchownat: { args: ["int", "ptr", "u32", "u32", "int"], returns: "int" },
  fchmod: { args: ["int", "u32"], returns: "int" },
  fchmodat: { args: ["int", "ptr", "u32", "int"], returns: "int" },
  utimensat: { args: ["int", "ptr", "ptr", "int"], returns: "int" },
  futimens: { args: ["int", "ptr"], returns: "int" },
  statx: { args: ["int", "ptr", "int", "u32", "ptr"], returns: "int" },
  pread: { args: ["int", "ptr", "u64", "i64"], returns: "i64" },
  pwrite: { args: ["int", "ptr", "u64", "i64"], returns: "i64" },
  ftruncate: { args: ["int", "i64"], returns: "int" },
  lseek: { args: ["int", "i64", "int"], returns: "i64" },
  syncfs: { args: ["int"], returns: "int" },
});

export type Name = string | Uint8Array;

export const AT_FDCWD = -100;
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = process.arch === "arm64" ? 0o40000 : 0o200000;
export const O_NOFOLLOW = process.arch === "arm64" ? 0o100000 : 0o400000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC = 0x7ff;
const UTIME_OMIT = 0x3fff_fffe;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const ENXIO = 6;
const PATH_MAX = 4096;

export function nameText(name: Name): string {
  return typeof name === "string" ? name : Buffer.from(name).toString("utf8");
}

/** openat(2); always close-on-exec. */
export function openAt(directory: number, name: Name, flags: number, mode = 0): number {
  return check(libc().openat(directory, cstring(name), flags | O_CLOEXEC, mode), "openat", nameText(name));
}

export function closeFd(fd: number): void {
  check(libc().close(fd), "close", `descriptor ${fd}`);
}

export function mkdirAt(directory: number, name: Name, mode: number): void {
  check(libc().mkdirat(directory, cstring(name), mode), "mkdirat", nameText(name));
}

/** `mode` includes the type (S_IFCHR, S_IFBLK, S_IFIFO). */
export function mknodAt(directory: number, name: Name, mode: number, major = 0, minor = 0): void {
  check(libc().mknodat(directory, cstring(name), mode, makeDevice(major, minor)), "mknodat", nameText(name));
}

/** makedev(3) of glibc. */
function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n);
}

export function symlinkAt(target: Name, directory: number, name: Name): void {
  check(libc().symlinkat(cstring(target), directory, cstring(name)), "symlinkat", nameText(name));
}

/** A hard link; a symbolic link at `from` is linked itself. */
export function linkAt(fromDirectory: number, from: Name, directory: number, name: Name): void {
  check(libc().linkat(fromDirectory, cstring(from), directory, cstring(name), 0), "linkat", nameText(name));
}

export function unlinkAt(directory: number, name: Name): void {
  check(libc().unlinkat(directory, cstring(name), 0), "unlinkat", nameText(name));
}

export function rmdirAt(directory: number, name: Name): void {
  check(libc().unlinkat(directory, cstring(name), AT_REMOVEDIR), "rmdir", nameText(name));
}

export function renameAt(fromDirectory: number, from: Name, directory: number, name: Name): void {
  check(libc().renameat(fromDirectory, cstring(from), directory, cstring(name)), "renameat", nameText(from));
}

export function readLinkAt(directory: number, name: Name): Uint8Array {
  const buffer = new Uint8Array(PATH_MAX);
  const length = check(
    libc().readlinkat(directory, cstring(name), buffer, buffer.length),
    "readlinkat",
    nameText(name),
  );
  return buffer.slice(0, length);
}

export function chownFd(fd: number, uid: number, gid: number): void {
  check(libc().fchown(fd, uid, gid), "fchown", `descriptor ${fd}`);
}

/** lchown(2) relative to a directory. */
export function chownAt(directory: number, name: Name, uid: number, gid: number): void {
  check(libc().fchownat(directory, cstring(name), uid, gid, AT_SYMLINK_NOFOLLOW), "fchownat", nameText(name));
}

export function chmodFd(fd: number, mode: number): void {
  check(libc().fchmod(fd, mode), "fchmod", `descriptor ${fd}`);
}

/** Follows a link in the last component (the kernel knows no other way): only for what was just made or checked. */
export function chmodAt(directory: number, name: Name, mode: number): void {
  check(libc().fchmodat(directory, cstring(name), mode, 0), "fchmodat", nameText(name));
}

function modifiedOnly(mtime: bigint): BigInt64Array {
  let seconds = mtime / 1_000_000_000n;
  let nanos = mtime % 1_000_000_000n;
  if (nanos < 0n) {
    nanos += 1_000_000_000n;
    seconds -= 1n;
  }
  return BigInt64Array.of(0n, BigInt(UTIME_OMIT), seconds, nanos);
}

/** Sets the modification time, nanoseconds since the epoch, of a link itself too. */
export function setMtimeAt(directory: number, name: Name, mtime: bigint): void {
  check(
    libc().utimensat(directory, cstring(name), modifiedOnly(mtime), AT_SYMLINK_NOFOLLOW),
    "utimensat",
    nameText(name),
  );
}

export function setMtimeFd(fd: number, mtime: bigint): void {
  check(libc().futimens(fd, modifiedOnly(mtime)), "futimens", `descriptor ${fd}`);
}

/** lstat with nanoseconds. */
export function statAt(directory: number, name: Name): FileStat {
  const buffer = new Uint8Array(STATX_BYTES);
  check(libc().statx(directory, cstring(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC, buffer), "statx", nameText(name));
  return statFrom(buffer);
}

/** The same, undefined when there is nothing of that name. */
export function statAtIfAny(directory: number, name: Name): FileStat | undefined {
  const buffer = new Uint8Array(STATX_BYTES);
  if (libc().statx(directory, cstring(name), AT_SYMLINK_NOFOLLOW, STATX_BASIC, buffer) === 0) return statFrom(buffer);
  const number = errno();
  if (number === 2 || number === 20) return undefined;
  throw systemError("statx", nameText(name), number);
}

export function statFd(fd: number): FileStat {
  const buffer = new Uint8Array(STATX_BYTES);
  check(libc().statx(fd, cstring(""), AT_EMPTY_PATH, STATX_BASIC, buffer), "statx", `descriptor ${fd}`);
  return statFrom(buffer);
}

/** Fills `buffer` from `offset` as far as the file goes; returns how much came. */
export function readAt(fd: number, buffer: Uint8Array, offset: number): number {
  let done = 0;
  while (done < buffer.length) {
    const count = check(
      libc().pread(fd, buffer.subarray(done), buffer.length - done, offset + done),
      "pread",
      `descriptor ${fd}`,
    );
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** Writes all of `bytes` at `offset`. */
export function writeAt(fd: number, bytes: Uint8Array, offset: number): void {
  let done = 0;
  while (done < bytes.length) {
    done += check(
      libc().pwrite(fd, bytes.subarray(done), bytes.length - done, offset + done),
      "pwrite",
      `descriptor ${fd}`,
    );
  }
}

export function truncateFd(fd: number, size: number): void {
  check(libc().ftruncate(fd, size), "ftruncate", `descriptor ${fd}`);
}

/** The next stretch of data at or after `offset` (lseek(2), SEEK_DATA); undefined when only a hole is left. */
export function nextData(fd: number, offset: number): { readonly offset: number; readonly length: number } | undefined {
  const start = Number(libc().lseek(fd, offset, SEEK_DATA));
  if (start < 0) {
    const number = errno();
    if (number === ENXIO) return undefined;
    throw systemError("lseek", `descriptor ${fd}`, number);
  }
  const end = check(libc().lseek(fd, start, SEEK_HOLE), "lseek", `descriptor ${fd}`);
  return { offset: start, length: end - start };
}

/** Writes the whole file system of `fd` to disk. Slow: never on the main thread. */
export function syncFileSystem(fd: number): void {
  check(libc().syncfs(fd), "syncfs", `descriptor ${fd}`);
}
