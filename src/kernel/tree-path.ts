import { type Name, nameText, O_CLOEXEC } from "./files.ts";
import { cstring, errno, libcSymbols, systemError } from "./libc.ts";

const libc = libcSymbols({
  syscall: { args: ["i64", "int", "ptr", "ptr", "u64"], returns: "int" },
});

const SYS_OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_BENEATH = 0x08;
const RESOLVE_IN_ROOT = 0x10;
const EAGAIN = 11;
const TRIES = 1000;

/**
 * openat2(2) as if `root` were the process's root: `..`, absolute links and links to links end inside, whatever another
 * process renames meanwhile (the class of CVE-2018-15664, CVE-2019-14271). Magic links of /proc are refused.
 */
export function openInRoot(root: number, path: Name, flags: number, mode = 0): number {
  return open(root, path, RESOLVE_IN_ROOT, { flags, mode });
}

/** openat2(2) that refuses (EXDEV) whatever leads above `root`: `..`, and absolute links, which mean the host's root. */
export function openBeneath(root: number, path: Name, flags: number): number {
  return open(root, path, RESOLVE_BENEATH, { flags, mode: 0 });
}

function open(
  root: number,
  path: Name,
  resolve: number,
  { flags, mode }: { readonly flags: number; readonly mode: number },
): number {
  const how = BigUint64Array.of(BigInt(flags | O_CLOEXEC), BigInt(mode), BigInt(resolve | RESOLVE_NO_MAGICLINKS));
  const bytes = cstring(path.length === 0 ? "." : path);
  for (let tries = 1; ; tries++) {
    const fd = libc().syscall(SYS_OPENAT2, root, bytes, how, how.byteLength);
    // EAGAIN: somebody renamed inside the tree while a `..` was resolved; the kernel asks to try again.
    if (fd >= 0) return fd;
    const number = errno();
    if (number !== EAGAIN || tries === TRIES) throw systemError("openat2", nameText(path), number);
  }
}
