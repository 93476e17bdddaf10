import { rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { HavreError } from "../base/mod.ts";
import { Pipe } from "../kernel/mod.ts";
import { encodeForRuntime } from "../spec/mod.ts";
import { ProcessStreams } from "./process-streams.ts";
import type { ExecRequest, RunningExec } from "./runtime.ts";
import { type RuntimeBinary, runtimeEnvironment } from "./runtime-command.ts";
import { runtimeError } from "./runtime-errors.ts";

/**
 * Runs `crun exec` as the daemon's child, with pipes and no supervisor in between: 2 ms less, and one process less.
 * crun stays as the process's parent and ends with its exit code; both live on when the daemon is killed.
 * `waiting` is told of crun's process once the command runs.
 */
export async function execDirect(
  request: ExecRequest,
  binary: RuntimeBinary,
  timeout: number,
  waiting: (pid: number, ended: Promise<unknown>) => void,
): Promise<RunningExec> {
  const { stdio } = request;
  const spec = join(request.bundle, `exec-${request.execId}.json`);
  writeFileSync(spec, encodeForRuntime({ ...request.process, terminal: false }), { mode: 0o600 });
  using cleanUp = new DisposableStack();
  cleanUp.defer(() => rmSync(spec, { force: true }));
  const report = cleanUp.use(new Pipe());
  const input = stdio.attach && stdio.stdin ? cleanUp.use(new Pipe()) : undefined;
  const output = stdio.attach ? cleanUp.use(new Pipe()) : undefined;
  const errors = stdio.attach ? cleanUp.use(new Pipe()) : undefined;
  // The process id and crun's own complaints come on descriptor 3: its standard error belongs to the process.
  const own = "/proc/self/fd/3";
  const child = Bun.spawn(
    [
      binary.path,
      ...binary.args,
      `--log=${own}`,
      "exec",
      `--process=${spec}`,
      `--pid-file=${own}`,
      request.containerId,
    ],
    {
      stdio: [input?.read ?? "ignore", output?.write ?? "ignore", errors?.write ?? "ignore", report.write],
      env: runtimeEnvironment(),
      detached: true,
    },
  );
  child.unref();
  input?.closeRead();
  output?.closeWrite();
  errors?.closeWrite();
  report.closeWrite();
  const said = await firstReport(report.read, timeout);
  if (said === undefined) {
    child.kill("SIGKILL");
    throw new HavreError("deadline-exceeded", `${binary.path} exec did not start the process in ${timeout / 1000} s`);
  }
  const pid = Number(said);
  if (!Number.isInteger(pid) || pid <= 0) {
    await child.exited;
    const output = said === "" ? `crun ended with exit code ${child.exitCode}` : said;
    throw runtimeError({ operation: "exec", output, command: request.process.args[0] ?? "" });
  }
  waiting(child.pid, child.exited);
  const io = takeOver(input, output, errors);
  const exited = child.exited.then(async () => {
    io?.processEnded();
    await io?.closed;
    // crun itself ends with 128 + the process's signal; a signal of its own means that crun was killed.
    return (
      child.exitCode ??
      128 + (child.signalCode === null ? 0 : (constants.signals[child.signalCode as NodeJS.Signals] ?? 0))
    );
  });
  return {
    pid,
    io,
    exited,
    resize: () => {
      throw new HavreError("invalid-argument", "The process has no terminal");
    },
  };
}

function takeOver(input: Pipe | undefined, output: Pipe | undefined, errors: Pipe | undefined) {
  if (output === undefined || errors === undefined) return undefined;
  return new ProcessStreams({
    input: input?.release("write"),
    output: [
      { stream: "stdout", fd: output.release("read") },
      { stream: "stderr", fd: errors.release("read") },
    ],
  });
}

/** The first thing said: a process id or an error; undefined when nothing comes in time. */
async function firstReport(fd: number, timeout: number): Promise<string | undefined> {
  const reader = Bun.file(fd).stream().getReader() as ReadableStreamDefaultReader<Uint8Array>;
  const timer = setTimeout(() => void reader.cancel("late"), timeout);
  let late = true;
  try {
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) {
        late = false;
        return text.trim();
      }
      text += Buffer.from(value).toString("utf8");
      if (/^\d+\s*$/.test(text)) {
        late = false;
        return text.trim();
      }
    }
  } finally {
    clearTimeout(timer);
    if (!late) void reader.cancel();
  }
}
