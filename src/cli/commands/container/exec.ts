import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Hijacked } from "../../../client/mod.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
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
    const ConsoleSize = flags.tty ? await consoleSize(context.out.isTerminal) : undefined;
    const body: ExecBody = {
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
    if (flags.detach) return startDetached(context, container, body);
    return (await execInOne(context, container, body)) ?? (await execInSteps(context, container, body));
  },
});

interface ExecBody {
  readonly User: string;
  readonly Privileged: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize: readonly [number, number] | undefined;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Detach: boolean;
  readonly DetachKeys: string;
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly Cmd: readonly string[];
}

async function create(context: Context, container: string, json: ExecBody): Promise<string> {
  const client = await context.client();
  return (await client.json<{ Id: string }>("POST", `/containers/${container}/exec`, { json })).Id;
}

async function startDetached(context: Context, container: string, body: ExecBody): Promise<number> {
  const id = await create(context, container, body);
  const { Detach, Tty } = body;
  await (await context.client()).run("POST", `/exec/${id}/start`, { json: { Detach, Tty } });
  return 0;
}

/** By Docker's API, which any daemon speaks: create, start, ask for the exit code. */
async function execInSteps(context: Context, container: string, body: ExecBody): Promise<number> {
  const id = await create(context, container, body);
  const client = await context.client();
  const { Tty, ConsoleSize } = body;
  const stream = await client.hijack("POST", `/exec/${id}/start`, { json: { Detach: false, Tty, ConsoleSize } });
  const end = await join(context, id, stream, body);
  if (end === "detached") return sayDetached(context);
  return (await client.json<{ ExitCode: number | null }>("GET", `/exec/${id}/json`)).ExitCode ?? 0;
}

/** By one request of the native API; undefined when the daemon is not one that knows it. */
async function execInOne(context: Context, container: string, body: ExecBody): Promise<number | undefined> {
  if (context.places.host !== undefined) return undefined;
  const client = await context.client();
  let stream: Hijacked;
  try {
    stream = await client.hijack("POST", "/havre/v1/exec", { query: { name: container }, json: body });
  } catch (error) {
    if (isHavreError(error, "not-found") && error.message.endsWith("page not found")) return undefined;
    throw error;
  }
  let told = "";
  const id = stream.head.headers.get("havre-exec-id") ?? "";
  const end = await join(context, id, stream, body, (data) => {
    told += Buffer.from(data).toString();
  });
  if (end === "detached") return sayDetached(context);
  const { exitCode } = JSON.parse(told || "{}") as { exitCode?: number };
  if (exitCode === undefined) throw new HavreError("unavailable", "The daemon went away; the command may still run");
  return exitCode;
}

function sayDetached({ err }: Context): number {
  err.line("read escape sequence");
  return 1;
}

async function join(
  context: Context,
  id: string,
  stream: Hijacked,
  { Tty, AttachStdin, DetachKeys }: ExecBody,
  onSystem?: (data: Uint8Array) => void,
): Promise<"ended" | "detached"> {
  const resizes = Tty && context.out.isTerminal;
  const { followSize } = resizes ? await import("../../streams/resize.ts") : { followSize: undefined };
  using _size = followSize?.(await context.client(), `/exec/${id}/resize`);
  // Awaited here: the size is followed until the session ends.
  return await runSession({
    stream,
    tty: Tty,
    stdin: AttachStdin,
    detachKeys: DetachKeys,
    context,
    ...(onSystem === undefined ? {} : { onSystem }),
  });
}
