import type { ExecState } from "../../../engine/mod.ts";

/** `GET /exec/{id}/json`. */
export function execView({ id, containerId, config, running, exitCode, pid }: ExecState) {
  const [entrypoint = "", ...args] = config.Cmd;
  return {
    ID: id,
    Running: running,
    ExitCode: exitCode ?? null,
    ProcessConfig: {
      tty: config.Tty,
      entrypoint,
      arguments: args,
      privileged: config.Privileged,
      ...(config.User === "" ? {} : { user: config.User }),
    },
    OpenStdin: config.AttachStdin,
    OpenStderr: config.AttachStderr,
    OpenStdout: config.AttachStdout,
    CanRemove: exitCode !== undefined,
    ContainerID: containerId,
    DetachKeys: config.DetachKeys === "" ? null : Buffer.from(config.DetachKeys).toString("base64"),
    Pid: pid,
  };
}
