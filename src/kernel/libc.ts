import { dlopen, type FFIFunction, type Library, read } from "bun:ffi";
import { constants as os } from "node:os";
import { HavreError, toHavreError } from "../base/mod.ts";

// Of two names for one number (EAGAIN, EWOULDBLOCK) the first is the one that Node's own errors carry.
const ERRNO_NAMES = new Map(
  Object.entries(os.errno)
    .reverse()
    .map(([name, number]) => [number, name]),
);

const errnoLocation = libcSymbols({ __errno_location: { args: [], returns: "ptr" } });

/**
 * A set of libc functions, opened at first use. Each file of this folder declares the ones it calls:
 * `const libc = libcSymbols({ umount2: { args: ["cstring", "int"], returns: "int" } })`, then `libc().umount2(…)`.
 */
export function libcSymbols<Fns extends Record<string, FFIFunction>>(functions: Fns): () => Library<Fns>["symbols"] {
  let symbols: Library<Fns>["symbols"] | undefined;
  return () => {
    symbols ??= dlopen("libc.so.6", functions).symbols;
    return symbols;
  };
}

/** errno of this thread's last failed libc call. Read it at once: any other call may change it. */
export function errno(): number {
  const location = errnoLocation().__errno_location();
  return location === null ? 0 : read.i32(location, 0);
}

/** The errno as an error that carries its name in `code`, as Node's own system errors do. */
export function systemError(call: string, subject: string, number: number = errno()): HavreError {
  const code = ERRNO_NAMES.get(number) ?? `errno ${number}`;
  const cause = Object.assign(new Error(`${call} ${subject}: ${code}`), { code, errno: number, syscall: call });
  const plain = toHavreError(cause);
  return new HavreError(plain.kind, cause.message, {
    cause,
    ...(plain.hint === undefined ? {} : { hint: plain.hint }),
  });
}

/** Passes a non-negative result on; a negative one becomes the error that errno names. `subject`: what the call was about. */
export function check(result: number | bigint, call: string, subject: string): number {
  const value = Number(result);
  if (value < 0) throw systemError(call, subject);
  return value;
}

/** A NUL-terminated byte string for an FFI `ptr` argument; keep it referenced until the call returns. */
export function cstring(text: string | Uint8Array): Uint8Array {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  if (bytes.includes(0)) throw new HavreError("invalid-argument", "A path or name cannot contain a NUL byte");
  const terminated = new Uint8Array(bytes.byteLength + 1);
  terminated.set(bytes);
  return terminated;
}
