import { join } from "node:path";
import { isBounded } from "./log-files.ts";
import type { CreateRequest } from "./runtime.ts";
import type { RuntimeBinary } from "./runtime-command.ts";

/** conmon's command line for a container (conmon(8)). */
export function containerArguments(request: CreateRequest, binary: RuntimeBinary, exitFolder: string): string[] {
  const { id, bundle, stdio, log } = request;
  const args = ["--sync", "-c", id, "-u", id, "-b", bundle, "-p", join(bundle, "pidfile"), "-r", binary.path];
  args.push(...binary.args.flatMap((argument) => ["--runtime-arg", argument]));
  args.push("--exit-dir", exitFolder, "--full-attach", "--no-sync-log");
  if (log.path === undefined) args.push("-l", "none");
  else args.push("-l", `k8s-file:${log.path}`);
  if (log.path !== undefined && isBounded(log)) args.push("--log-size-max", String(log.maxSize));
  if (stdio.terminal) args.push("-t");
  if (stdio.stdin) args.push("-i");
  if (stdio.stdin && !stdio.stdinOnce) args.push("--leave-stdin-open");
  return args;
}
