import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { runSession } from "../../streams/session.ts";
import { checkTerminal, consoleSize } from "../../streams/standard.ts";
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
    const { Id } = await client.json<{ Id: string }>("POST", `/containers/${container}/exec`, {
      json: {
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
      },
    });
    const json = { Detach: flags.detach, Tty: flags.tty, ConsoleSize };
    if (flags.detach) {
      await client.run("POST", `/exec/${Id}/start`, { json });
      return 0;
    }
    const stream = await client.hijack("POST", `/exec/${Id}/start`, { json });
    const resizes = flags.tty && context.out.isTerminal;
    const { followSize } = resizes ? await import("../../streams/resize.ts") : { followSize: undefined };
    using _size = followSize?.(client, `/exec/${Id}/resize`);
    const end = await runSession({
      stream,
      tty: flags.tty,
      stdin,
      detachKeys: flags["detach-keys"],
      context,
    });
    if (end === "detached") {
      context.err.line("read escape sequence");
      return 1;
    }
    return (await client.json<{ ExitCode: number | null }>("GET", `/exec/${Id}/json`)).ExitCode ?? 0;
  },
});
