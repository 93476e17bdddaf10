import { ptr } from "bun:ffi";
import { errnoOf, HavreError } from "../base/mod.ts";
import { check, cstring, libcSymbols } from "./libc.ts";
import { mountInfo } from "./mount.ts";
import type { UserNamespace } from "./user-namespace.ts";

const libc = libcSymbols({
  syscall: { args: ["i64", "i64", "i64", "i64", "i64", "i64"], returns: "i64" },
  close: { args: ["int"], returns: "int" },
  prctl: { args: ["int", "u64", "u64", "u64", "u64"], returns: "int" },
  setfsuid: { args: ["u32"], returns: "int" },
  setfsgid: { args: ["u32"], returns: "int" },
});

// The same numbers on every architecture: they were added after the tables were unified.
const SYS_OPEN_TREE = 428;
const SYS_MOVE_MOUNT = 429;
const SYS_MOUNT_SETATTR = 442;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const OPEN_TREE_CLONE = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOUNT_ATTR_IDMAP = 0x00100000n;
const PR_GET_SECUREBITS = 27;
const PR_SET_SECUREBITS = 28;
const SECBIT_NO_SETUID_FIXUP = 4;

/**
 * A folder or file shown with the owners that a user namespace maps them to (mount_setattr(2), MOUNT_ATTR_IDMAP): what id 0
 * owns on disk belongs to the namespace's root, what that creates belongs to id 0 on disk. Not in the tree of mounts
 * until it is attached; gone when it is closed and was not.
 */
export class MappedMount implements Disposable {
  readonly #fd: number;
  readonly #source: string;

  /**
   * `recursive`: with what is mounted below. `failed-precondition` where a file system cannot do it, naming it.
   */
  constructor(source: string, owners: UserNamespace, recursive = false) {
    this.#source = source;
    const below = recursive ? AT_RECURSIVE : 0;
    const path = cstring(source);
    const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below;
    this.#fd = check(libc().syscall(SYS_OPEN_TREE, AT_FDCWD, ptr(path), flags, 0, 0), "open_tree", source);
    const empty = cstring("");
    // struct mount_attr: attr_set, attr_clr, propagation, userns_fd.
    const attributes = new BigUint64Array([MOUNT_ATTR_IDMAP, 0n, 0n, BigInt(owners.fd)]);
    const size = attributes.byteLength;
    try {
      const how = AT_EMPTY_PATH | below;
      check(
        libc().syscall(SYS_MOUNT_SETATTR, this.#fd, ptr(empty), how, ptr(attributes), size),
        "mount_setattr",
        source,
      );
    } catch (error) {
      this[Symbol.dispose]();
      throw explained(error, source);
    }
  }

  /** A path for this process alone. */
  get path(): string {
    return `/proc/self/fd/${this.#fd}`;
  }

  /** Puts it on `target`, where it stays. */
  attach(target: string): void {
    const [empty, place] = [cstring(""), cstring(target)];
    check(
      libc().syscall(SYS_MOVE_MOUNT, this.#fd, ptr(empty), AT_FDCWD, ptr(place), MOVE_MOUNT_F_EMPTY_PATH),
      "move_mount",
      `${this.#source} to ${target}`,
    );
  }

  [Symbol.dispose](): void {
    libc().close(this.#fd);
  }
}

/**
 * Runs `work`, which must be synchronous, as one who makes files that belong to these ids of the host, with all of root's
 * powers: on a mapped mount nobody can make any whose ids are not mapped.
 */
export function asRootOf<T>({ uid, gid }: { readonly uid: number; readonly gid: number }, work: () => T): T {
  const bits = check(libc().prctl(PR_GET_SECUREBITS, 0, 0, 0, 0), "prctl", "secure bits");
  // Else the kernel takes the powers over files away with the id (capabilities(7)).
  check(libc().prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0), "prctl", "secure bits");
  try {
    libc().setfsgid(gid);
    libc().setfsuid(uid);
    return work();
  } finally {
    libc().setfsuid(0);
    libc().setfsgid(0);
    check(libc().prctl(PR_SET_SECUREBITS, bits, 0, 0, 0), "prctl", "secure bits");
  }
}

function explained(error: unknown, source: string): unknown {
  const code = errnoOf(error);
  if (code === "ENOSYS")
    return new HavreError("failed-precondition", "This kernel has no id-mapped mounts", {
      cause: error,
      hint: "Run kernel 5.12 or newer (5.19 for images), or start the container with --userns=host",
    });
  if (code !== "EINVAL" && code !== "EPERM") return error;
  const inside = source.endsWith("/") ? source : `${source}/`;
  const here = mountInfo().filter(({ mountPoint }) => inside.startsWith(mountPoint === "/" ? "/" : `${mountPoint}/`));
  const type = here.sort((one, other) => other.mountPoint.length - one.mountPoint.length)[0]?.type ?? "unknown";
  return new HavreError(
    "failed-precondition",
    `${source} cannot be id-mapped: its file system (${type}), or one mounted below, does not know that on this kernel`,
    { cause: error, hint: "Use a folder on ext4, xfs, btrfs or tmpfs, or start the container with --userns=host" },
  );
}
