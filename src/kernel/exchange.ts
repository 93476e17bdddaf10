import { AT_FDCWD, type Name, nameText } from "./files.ts";
import { check, cstring, libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  renameat2: { args: ["int", "ptr", "int", "ptr", "u32"], returns: "int" },
});

const RENAME_EXCHANGE = 2;

/** Lets two paths of one file system change places in one step (renameat2(2)). */
export function exchangePaths(one: Name, other: Name): void {
  check(
    libc().renameat2(AT_FDCWD, cstring(one), AT_FDCWD, cstring(other), RENAME_EXCHANGE),
    "renameat2",
    `${nameText(one)} ${nameText(other)}`,
  );
}
