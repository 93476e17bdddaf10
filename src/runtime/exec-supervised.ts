import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isHavreError } from "../base/mod.ts";
import { encodeForRuntime } from "../spec/mod.ts";
import { AttachConnection } from "./connection.ts";
import { writeTerminalSize } from "./control.ts";
import type { ExecRequest, RunningExec } from "./runtime.ts";
import type { RuntimeBinary } from "./runtime-command.ts";
import { runtimeError } from "./runtime-errors.ts";
import { RuntimeRefusal, startSupervisor } from "./supervisor.ts";

/** Runs an exec under its own conmon: for terminals, whose master side it keeps, and for runtimes other than crun. */
export async function execSupervised(
  request: ExecRequest,
  binary: RuntimeBinary,
  conmon: string,
  timeout: number,
): Promise<RunningExec> {
  const { stdio } = request;
  const folder = join(request.bundle, `exec-${request.execId}`);
  mkdirSync(folder, { mode: 0o700 });
  const spec = join(folder, "process.json");
  const log = join(folder, "runtime.log");
  let connection: AttachConnection | undefined;
  try {
    writeFileSync(spec, encodeForRuntime({ ...request.process, terminal: stdio.terminal }), { mode: 0o600 });
    const args = ["--sync", "--api-version", "1", "-e", "-c", request.containerId, "-u", request.execId];
    args.push("-b", folder, "--full-attach", "-p", join(folder, "pidfile"), "-l", "none", "-r", binary.path);
    const runtimeArgs = [...binary.args];
    // With a terminal the runtime's complaint would go there, where nobody listens yet.
    if (stdio.terminal) {
      args.push("-t");
      runtimeArgs.push("--log", log);
    }
    args.push(...runtimeArgs.flatMap((argument) => ["--runtime-arg", argument]), "--exec-process-spec", spec);
    if (stdio.stdin) args.push("-i");
    if (stdio.attach) args.push("--exec-attach");
    const supervisor = await startSupervisor({
      conmon,
      args,
      folder,
      timeout,
      ...(stdio.attach
        ? {
            attach: async () => {
              connection = await AttachConnection.open(join(folder, "attach"));
            },
          }
        : {}),
    });
    const io = connection;
    const exited = supervisor.nextReport().then(async (report) => {
      await Promise.all([io?.closed, supervisor.ended]);
      rmSync(folder, { recursive: true, force: true });
      return report?.data ?? 137;
    });
    return {
      pid: supervisor.containerPid,
      io,
      exited,
      resize: (height, width) => writeTerminalSize(folder, height, width, `Exec ${request.execId}`),
    };
  } catch (error) {
    await connection?.[Symbol.asyncDispose]();
    const logged = existsSync(log) ? readFileSync(log, "utf8").trim() : "";
    rmSync(folder, { recursive: true, force: true });
    if (isHavreError(error, "deadline-exceeded")) throw error;
    const output = error instanceof RuntimeRefusal ? error.message : logged;
    if (output === "") throw error;
    throw runtimeError({ operation: "exec", output, command: request.process.args[0] ?? "", cause: error });
  }
}
