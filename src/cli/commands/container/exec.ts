import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { checkTerminal, consoleSize } from "../../streams/standard.ts";
import { createExec, execInOne, execInSteps } from "./exec-session.ts";
import { checkEnvironment } from "./options/checks.ts";
import { readAssignments } from "./options/files.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  summary: "Execute a command in a running container",
  examples: [
    ["exec web nginx -t", "One command"],
    ["exec -it -u root -w /tmp web sh", "A shell"],
    ["exec -i db psql < dump.sql", "From a pipe"],
  ],
  flags: {
    detach: toggle("Detached mode: run command in the background", { short: "d" }),
    "detach-keys": text("Override the key sequence for detaching a container"),
    env: list("Set environment variables", { short: "e", check: checkEnvironment }),
    "env-file": list("Read in a file of environment variables"),
    interactive: toggle("Keep STDIN open even if not attached", { short: "i" }),
    privileged: toggle("Give extended privileges to the command"),
    tty: toggle("Allocate a pseudo-TTY", { short: "t" }),
    user: text('Username or UID (format: "<name|uid>[:<group|gid>]")', { short: "u" }),
    workdir: text("Working directory inside the container", { short: "w" }),
  },
  min: 2,
  interspersed: false,
  async run({ context, flags, args: [container = "", ...Cmd] }) {
    const attached = !flags.detach;
    const stdin = attached && flags.interactive;
    const Env = [
      ...flags["env-file"].flatMap((path) => readAssignments(path, (name) => process.env[name])),
      ...flags.env,
    ];
    if (attached) checkTerminal(stdin, flags.tty);
    const client = await context.client();
    const ConsoleSize = flags.tty ? await consoleSize(context.out.isTerminal) : undefined;
    const json = {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: flags.tty,
      ConsoleSize,
      AttachStdin: stdin,
      AttachStdout: attached,
      AttachStderr: attached,
      Detach: flags.detach,
      DetachKeys: flags["detach-keys"],
      Env,
      WorkingDir: flags.workdir,
      Cmd,
    };
    if (flags.detach) {
      const id = await createExec(client, container, json);
      await client.run("POST", `/exec/${id}/start`, { json: { Detach: true, Tty: flags.tty, ConsoleSize } });
      return 0;
    }
    const order = { context, client, container, json, stdin, tty: flags.tty, detachKeys: flags["detach-keys"] };
    const exitCode = (await execInOne(order)) ?? (await execInSteps(order));
    if (exitCode !== "detached") return exitCode;
    context.err.line("read escape sequence");
    return 1;
  },
});
