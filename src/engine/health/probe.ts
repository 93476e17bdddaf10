import { errnoOf, newId } from "../../base/mod.ts";
import type { RunningExec } from "../../runtime/mod.ts";
import type { Container, HealthProbe } from "../container.ts";
import { bundleFolder, type EngineContext, runtimeName } from "../context.ts";
import { execAction } from "../events.ts";
import { prepareExecProcess } from "../spec/prepare.ts";
import type { HealthPlan } from "./config.ts";

/** Bytes of a probe's output that are kept (Docker's). */
const OUTPUT_LIMIT = 4096;
const TIMED_OUT = -1;

/** Runs a container's check once. A probe that outlasts its time is killed and counts as failed. */
export async function runProbe(context: EngineContext, container: Container, plan: HealthPlan): Promise<HealthProbe> {
  const start = context.clock.now();
  const execID = newId();
  context.events.emitContainer(container, execAction("exec_create", plan.command), { execID });
  context.events.emitContainer(container, execAction("exec_start", plan.command), { execID });
  try {
    const running = await startProbe(context, container, plan, execID);
    const { exitCode, output } = await follow(running, plan.timeout);
    context.events.emitContainer(container, "exec_die", { execID, exitCode: String(exitCode) });
    return { start, end: context.clock.now(), exitCode, output };
  } catch (error) {
    const output = error instanceof Error ? error.message : String(error);
    return { start, end: context.clock.now(), exitCode: TIMED_OUT, output };
  }
}

async function startProbe(
  context: EngineContext,
  container: Container,
  plan: HealthPlan,
  execId: string,
): Promise<RunningExec> {
  const process = await prepareExecProcess(context, container, {
    AttachStdin: false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: false,
    Cmd: plan.command,
    Env: [],
    User: "",
    WorkingDir: "",
    Privileged: false,
    DetachKeys: "",
  });
  return context.runtime.exec({
    containerId: container.id,
    runtime: runtimeName(context, container),
    execId,
    bundle: bundleFolder(context, container.id),
    process,
    stdio: { terminal: false, stdin: false, attach: true },
  });
}

async function follow(running: RunningExec, timeout: number): Promise<{ exitCode: number; output: string }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  let truncated = false;
  running.io?.onOutput(({ data }) => {
    const kept = data.subarray(0, OUTPUT_LIMIT - size);
    if (kept.byteLength > 0) chunks.push(kept);
    size += kept.byteLength;
    truncated ||= kept.byteLength < data.byteLength;
    return true;
  });
  const output = () => Buffer.concat(chunks).toString("utf8") + (truncated ? "..." : "");
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeout);
  });
  const ended = Promise.all([running.exited, running.io?.closed]).then(([code]) => code);
  const code = await Promise.race([ended, late]);
  clearTimeout(timer);
  if (code === undefined) {
    kill(running.pid);
    await running.io?.[Symbol.asyncDispose]();
    const late = `Health check exceeded timeout (${goDuration(timeout)})`;
    return { exitCode: TIMED_OUT, output: size === 0 ? late : `${late}: ${output()}` };
  }
  return { exitCode: code, output: output() };
}

/** It may have ended just now. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (errnoOf(error) !== "ESRCH") throw error;
  }
}

/** As Go prints a duration of whole milliseconds. */
function goDuration(milliseconds: number): string {
  if (milliseconds < 1000) return `${milliseconds}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  const rest = `${minutes % 60}m${seconds % 60}s`;
  return minutes < 60 ? rest : `${Math.floor(minutes / 60)}h${rest}`;
}
