import { readFileSync } from "node:fs";
import { errnoOf } from "../base/mod.ts";
import type { RuntimeBinary } from "./runtime-command.ts";

/**
 * crun refuses to create a container where version 1 cgroups are in use and the version 2 tree beside them still has a
 * controller. It accepts when it cannot see that tree: a short-lived shell with a mount namespace of its own unmounts
 * it first. Only crun itself lives there, so that no supervisor keeps copies of other containers' mounts.
 */
export function withoutUnifiedTree(shell: RuntimeBinary): RuntimeBinary {
  return { path: "/usr/bin/unshare", args: ["--mount", "--propagation", "private", shell.path, ...shell.args] };
}

const UNIFIED = "/sys/fs/cgroup/unified";

/** The shell command that unmounts the version 2 tree. */
export const HIDE_UNIFIED_TREE = `umount -l -n ${UNIFIED} && `;

/** True on hosts where crun would refuse. */
export function hasHybridControllers(): boolean {
  try {
    return readFileSync(`${UNIFIED}/cgroup.controllers`, "utf8").trim() !== "";
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
}
