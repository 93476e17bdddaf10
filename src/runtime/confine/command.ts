import { closeSync, constants, fstatSync, openSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../../base/mod.ts";
import { openInRoot } from "../../kernel/mod.ts";
import type { RuntimeProcess } from "../../spec/mod.ts";

/** O_PATH: nothing is opened but a name. */
const NAME_ONLY = 0x200000;
const ANY_MAY_EXECUTE = 0o111;

/**
 * Looks for a process's command in a container whose root is `/proc/PID/root`, as its runtime does before it makes the
 * process. Returns what crun says when it is not there or no program; undefined: it can be run.
 */
export function commandTrouble(pid: number, { args, env, cwd }: RuntimeProcess): string | undefined {
  const [command = ""] = args;
  let root: number;
  try {
    root = openSync(`/proc/${pid}/root`, constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    // It has ended meanwhile, which the runtime tells.
    if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ESRCH") return undefined;
    throw error;
  }
  try {
    const path = env.find((variable) => variable.startsWith("PATH="))?.slice("PATH=".length) ?? "";
    const places =
      command.startsWith(".") || command.includes("/")
        ? [command.startsWith("/") ? command : join("/", cwd, command)]
        : path.split(":").map((folder) => join("/", folder === "" ? cwd : folder, command));
    let last = "ENOENT";
    for (const place of places) {
      const trouble = troubleAt(root, place);
      if (trouble === undefined) return undefined;
      if (trouble !== "ENOENT") last = trouble;
    }
    if (last === "ENOENT") return `executable file \`${command}\` not found in $PATH: No such file or directory`;
    return `open executable: ${last === "EPERM" ? "Operation not permitted" : "Permission denied"}`;
  } finally {
    closeSync(root);
  }
}

function troubleAt(root: number, path: string): "ENOENT" | "EACCES" | "EPERM" | undefined {
  let file: number;
  try {
    file = openInRoot(root, path, NAME_ONLY);
  } catch (error) {
    const code = errnoOf(error);
    // What leads through a magic link of /proc (/proc/self/exe) is left to the kernel.
    if (code === "ELOOP") return undefined;
    return code === "ENOENT" || code === "ENOTDIR" ? "ENOENT" : "EACCES";
  }
  try {
    const found = fstatSync(file);
    if ((found.mode & ANY_MAY_EXECUTE) === 0) return "EACCES";
    return found.isFile() ? undefined : "EPERM";
  } finally {
    closeSync(file);
  }
}
