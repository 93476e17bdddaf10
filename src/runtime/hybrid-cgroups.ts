import { readFileSync } from "node:fs";
import { errnoOf } from "../base/mod.ts";
import { mountsArePrivate, withoutMounts } from "../kernel/mod.ts";
import type { RuntimeBinary } from "./runtime-command.ts";

const UNIFIED = "/sys/fs/cgroup/unified";

/** Beyond this many other containers a shell is quicker than hiding their mounts one by one. */
const MOST_HIDDEN = 64;

/** How a runtime is called, and how its supervisor is started. */
export interface Call {
  readonly binary: RuntimeBinary;
  /** Runs the start of the supervisor, which is synchronous. */
  readonly within: <T>(start: () => T) => T;
}

/**
 * crun refuses to create a container where version 1 cgroups are in use and the version 2 tree beside them still has a
 * controller. It accepts when it cannot see that tree.
 *
 * Its supervisor is started in a copy of the mount namespace without that tree, and without the mounts of other
 * containers (`others`), which the supervisor would keep from going away. Where mounts are shared with the host, or
 * there are too many, crun alone is started in such a copy, by two more processes (3 ms).
 */
export function blindToUnifiedTree(
  call: (beforeRuntime: string) => RuntimeBinary,
  others: readonly string[],
  mountsPrivate: boolean,
): Call {
  if (mountsPrivate && others.length <= MOST_HIDDEN) {
    return { binary: call(""), within: (start) => withoutMounts([UNIFIED, ...others], start) };
  }
  const { path, args } = call(`umount -l -n ${UNIFIED} && `);
  return {
    binary: { path: "/usr/bin/unshare", args: ["--mount", "--propagation", "private", path, ...args] },
    within: (start) => start(),
  };
}

/** Whether hiding mounts in a copy of the namespace leaves those of the host alone; `folder` holds the containers' trees. */
export function canHideMounts(folder: string): boolean {
  return mountsArePrivate([UNIFIED, folder]);
}

/** True on hosts where crun would refuse. */
export function hasHybridControllers(): boolean {
  try {
    return readFileSync(`${UNIFIED}/cgroup.controllers`, "utf8").trim() !== "";
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
