import { spawnSync } from "node:child_process";
import type { Context } from "../../../context.ts";
import type { BuildFailure, BuildWarning } from "./lines.ts";

/** Lines of output that are shown of a step that failed. */
const TAIL = 20;
const RULE = "------";

/** Shows a build's failure: the step with its last output, the lines of the Dockerfile, what to do. Returns the exit code. */
export async function reportFailure(
  context: Context,
  failure: BuildFailure,
  debug: boolean,
  place: string,
): Promise<number> {
  const { err } = context;
  const { message, hint, exitCode, state } = failure;
  for (const line of failedStep(failure)) err.line(line);
  err.line(`havre: ${message}`);
  if (hint !== undefined) err.line(hint);
  if (state !== undefined && debug) openShell(context, state);
  else if (exitCode !== undefined)
    err.line(`To look around in the state before this step: havre build --debug ${place}`);
  return exitCode ?? 1;
}

/** The step that failed with its last output, and the lines of the Dockerfile that it is. */
export function failedStep({ step, output = "", file, line, quoted }: BuildFailure): readonly string[] {
  const shown: string[] = [];
  if (step !== undefined) {
    const lines = output.trimEnd().split("\n");
    shown.push(RULE, ` > ${step}:`, ...(output.trim() === "" ? [] : lines.slice(-TAIL)), RULE);
  }
  if (file !== undefined && quoted !== undefined) shown.push(`${file}:${line}`, quoted);
  return shown;
}

/** A shell in the state before the step; with it goes the state. */
function openShell({ places, err, env }: Context, state: string): void {
  err.line("A shell in the state before this step; leave it with exit.");
  const daemon = places.host === undefined ? ["--root", places.root, "--run", places.run] : ["-H", places.host];
  const havre = (...args: readonly string[]) =>
    spawnSync(process.execPath, [...daemon, ...args], { stdio: "inherit", env: env as NodeJS.ProcessEnv });
  havre("run", "--rm", "-it", state);
  spawnSync(process.execPath, [...daemon, "rmi", state], { stdio: "ignore", env: env as NodeJS.ProcessEnv });
}

export function reportWarnings({ err }: Context, warnings: readonly BuildWarning[], inFull: boolean): void {
  for (const { rule, message, description, url, file, lines, quoted } of warnings) {
    if (!inFull) {
      err.line(`${file}:${lines.first}: ${rule}: ${message}`);
      continue;
    }
    err.line(
      `WARNING: ${rule}${url === "" ? "" : ` - ${url}`}\n${description}: ${message}\n\n${file}:${lines.first}\n${quoted}\n`,
    );
  }
  if (inFull && warnings.length === 0) err.line("Check complete, no warnings found.");
}
