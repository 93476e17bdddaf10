import { errnoOf, HavreError } from "../base/mod.ts";
import { check, cstring, libcSymbols, systemError } from "./libc.ts";
import { mountInfo } from "./mount.ts";

const libc = libcSymbols({
  open: { args: ["ptr", "int"], returns: "int" },
  close: { args: ["int"], returns: "int" },
  unshare: { args: ["int"], returns: "int" },
  setns: { args: ["int", "int"], returns: "int" },
  umount2: { args: ["ptr", "int"], returns: "int" },
  gettid: { args: [], returns: "int" },
});

const CLONE_NEWNS = 0x00020000;
const O_CLOEXEC = 0o2000000;
const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;
const THREAD_NAMESPACE = cstring("/proc/thread-self/ns/mnt");

/**
 * Runs `work`, which must be synchronous and start no thread, in a copy of the mount namespace that lacks the mounts at
 * `hidden`; a process it starts stays there. For the main thread only, whose root and working folder are the
 * namespace's root afterwards. The mounts must be private (`mountsArePrivate`): else they would go everywhere.
 */
export function withoutMounts<T>(hidden: readonly string[], work: () => T): T {
  if (libc().gettid() !== process.pid) {
    throw new HavreError("internal", "Mount namespaces can be entered from the main thread only");
  }
  const paths = hidden.map((path) => cstring(path));
  const home = check(libc().open(THREAD_NAMESPACE, O_CLOEXEC), "open", "mount namespace");
  try {
    check(libc().unshare(CLONE_NEWNS), "unshare", "mount namespace");
    try {
      for (const [index, path] of paths.entries()) hide(path, hidden[index] ?? "");
      return work();
    } finally {
      goHome(home);
    }
  } finally {
    libc().close(home);
  }
}

/** Whether what is unmounted at `paths` in a copy of the namespace stays mounted here. */
export function mountsArePrivate(paths: readonly string[]): boolean {
  const mounts = mountInfo();
  return paths.every((path) => {
    const holders = mounts.filter(({ mountPoint }) => mountPoint === "/" || `${path}/`.startsWith(`${mountPoint}/`));
    return holders.every(({ tags }) => !tags.some((tag) => tag.startsWith("shared:")));
  });
}

/** A mount that has gone meanwhile is hidden well enough. */
function hide(path: Uint8Array, name: string): void {
  if (libc().umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) === 0) return;
  const failure = systemError("umount2", name);
  const code = errnoOf(failure);
  if (code !== "EINVAL" && code !== "ENOENT") throw failure;
}

/** A daemon left in the wrong namespace would mount where nobody sees it: worse than dying. */
function goHome(home: number): void {
  if (libc().setns(home, CLONE_NEWNS) === 0) return;
  process.stderr.write("Could not return to the host's mount namespace: aborting\n");
  process.abort();
}
