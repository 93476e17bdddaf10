import { errnoOf } from "../base/mod.ts";
import { readAt, writeAt } from "./files.ts";
import { libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  ioctl: { args: ["int", "u64", "int"], returns: "int" },
  copy_file_range: { args: ["int", "ptr", "int", "ptr", "u64", "u32"], returns: "i64" },
});

const BUFFER = 1 << 20;
const FICLONE = 0x4004_9409;
/** What file systems without shared extents, or two of them, answer (ioctl_ficlone(2)). */
const CANNOT = new Set(["EOPNOTSUPP", "ENOTSUP", "EXDEV", "EINVAL", "ENOTTY", "ETXTBSY", "EPERM", "ENOSYS"]);

/** Makes the empty file `target` share the content of `source` (ioctl_ficlone(2)): no byte is copied. False where the file system cannot. */
export function cloneFile(source: number, target: number): boolean {
  if (libc().ioctl(target, FICLONE, source) === 0) return true;
  const failure = systemError("ioctl FICLONE", `descriptor ${source}`);
  if (CANNOT.has(errnoOf(failure) ?? "")) return false;
  throw failure;
}

/**
 * Copies up to `length` bytes at `offset` of `source` to the same place of `target`, inside the kernel where it can
 * (copy_file_range(2)); returns how many, 0 at the end.
 */
export function copyRange(source: number, target: number, offset: number, length: number): number {
  const [from, to] = [BigInt64Array.of(BigInt(offset)), BigInt64Array.of(BigInt(offset))];
  const count = Number(libc().copy_file_range(source, from, target, to, length, 0));
  if (count >= 0) return count;
  const failure = systemError("copy_file_range", `descriptor ${source}`);
  // Between two file systems, overlays among them, and from files of /proc and the like.
  if (!CANNOT.has(errnoOf(failure) ?? "")) throw failure;
  const buffer = new Uint8Array(Math.min(length, BUFFER));
  const read = readAt(source, buffer, offset);
  writeAt(target, buffer.subarray(0, read), offset);
  return read;
}
