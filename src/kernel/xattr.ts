import { check, cstring, errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  fsetxattr: { args: ["int", "ptr", "ptr", "u64", "int"], returns: "int" },
  lsetxattr: { args: ["ptr", "ptr", "ptr", "u64", "int"], returns: "int" },
  lgetxattr: { args: ["ptr", "ptr", "ptr", "u64"], returns: "int" },
  llistxattr: { args: ["ptr", "ptr", "u64"], returns: "int" },
  lremovexattr: { args: ["ptr", "ptr"], returns: "int" },
});

const ERANGE = 34;
const ENODATA = 61;
const EOPNOTSUPP = 95;

/** A path below a directory's descriptor for the calls that take only paths. Links in `name` itself are not followed. */
export function pathBelow(directory: number, name: string | Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), Buffer.from(name)]);
}

/** lsetxattr(2). */
export function setXattr(path: string | Uint8Array, name: string, value: Uint8Array): void {
  const bytes = addressable(value);
  check(libc().lsetxattr(cstring(path), cstring(name), bytes, value.length, 0), `lsetxattr ${name}`, text(path));
}

export function setXattrFd(fd: number, name: string, value: Uint8Array): void {
  const bytes = addressable(value);
  check(libc().fsetxattr(fd, cstring(name), bytes, value.length, 0), `fsetxattr ${name}`, `descriptor ${fd}`);
}

/** An empty array has no address to give. */
function addressable(value: Uint8Array): Uint8Array {
  return value.length === 0 ? new Uint8Array(1) : value;
}

/** lgetxattr(2); undefined when there is none, or the file system keeps none. */
export function getXattr(path: string | Uint8Array, name: string): Uint8Array | undefined {
  const [file, key] = [cstring(path), cstring(name)];
  let buffer = new Uint8Array(256);
  for (;;) {
    const length = libc().lgetxattr(file, key, buffer, buffer.length);
    if (length >= 0) return buffer.slice(0, length);
    const number = errno();
    if (number === ENODATA || number === EOPNOTSUPP) return undefined;
    if (number !== ERANGE || buffer.length > 65_536) throw systemError(`lgetxattr ${name}`, text(path), number);
    buffer = new Uint8Array(65_537);
  }
}

/** llistxattr(2), sorted. */
export function listXattrs(path: string | Uint8Array): string[] {
  const file = cstring(path);
  let buffer = new Uint8Array(1024);
  for (;;) {
    const length = libc().llistxattr(file, buffer, buffer.length);
    if (length === 0) return [];
    if (length > 0) {
      return Buffer.from(buffer.subarray(0, length)).toString("utf8").split("\0").filter(Boolean).sort();
    }
    const number = errno();
    if (number === EOPNOTSUPP) return [];
    if (number !== ERANGE || buffer.length > 65_536) throw systemError("llistxattr", text(path), number);
    buffer = new Uint8Array(65_537);
  }
}

/** lremovexattr(2); free of effect when there is none. */
export function removeXattr(path: string | Uint8Array, name: string): void {
  if (libc().lremovexattr(cstring(path), cstring(name)) === 0) return;
  const number = errno();
  if (number !== ENODATA) throw systemError(`lremovexattr ${name}`, text(path), number);
}

function text(path: string | Uint8Array): string {
  return typeof path === "string" ? path : Buffer.from(path).toString("utf8");
}
