import { errno, libcSymbols } from "./libc.ts";

const libc = libcSymbols({
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
});

// The same numbers on every architecture: they were added after the tables were unified.
const SYS_MOUNT_SETATTR = 442;
const SYS_LANDLOCK_CREATE_RULESET = 444;
const LANDLOCK_CREATE_RULESET_VERSION = 1;
const ENOSYS = 38;

/** Whether the kernel knows mount_setattr(2), with which mounts get other owners (5.12 and later). Changes nothing. */
export function hasMountSetattr(): boolean {
  return libc().syscall(SYS_MOUNT_SETATTR, -1, 0, 0, 0, 0) >= 0n || errno() !== ENOSYS;
}

/** The kernel's Landlock version (landlock_create_ruleset(2)), 0 when it has none or has it switched off. */
export function landlockVersion(): number {
  const version = libc().syscall(SYS_LANDLOCK_CREATE_RULESET, 0, 0, LANDLOCK_CREATE_RULESET_VERSION, 0, 0);
  return version > 0n ? Number(version) : 0;
}
