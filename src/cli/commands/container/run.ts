import { HavreError, isHavreError } from "../../../base/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { checkTerminal, consoleSize } from "../../streams/standard.ts";
import { checkPullOption, creationFlags, reportCreation, startExitCode } from "./creation.ts";
import { watchDenials } from "./denials.ts";
import { type CreateBody, createRequest } from "./options/request.ts";
import { runInOne } from "./run-in-one.ts";
import { runInSteps } from "./run-in-steps.ts";

const EXIT_REFUSED = 125;

const runFlags = {
  ...creationFlags,
  detach: toggle("Run container in background and print container ID", { short: "d" }),
  "detach-keys": text("Override the key sequence for detaching a container"),
  trace: toggle("Say on standard error where the time went"),
  "sig-proxy": toggle("Proxy received signals to the process", { initial: true, defaultText: "true" }),
} as const;

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  summary: "Create and run a new container from an image",
  examples: [
    ["run --rm debian:12 echo hello", "Run a command, leave nothing behind"],
    ["run -it --name sh busybox", "A shell; ctrl-p ctrl-q leaves it running"],
    ["run -d --name web -p 8080:80 --restart unless-stopped nginx", "A service in the background"],
    ["run --rm -v .:/src -w /src -m 512m --cpus 1.5 golang go test ./...", "This folder, with limits"],
    ["run --rm -i busybox wc -l < file", "From a pipe"],
  ],
  flags: runFlags,
  min: 1,
  interspersed: false,
  async run({ context, flags, changed, args }) {
    let body: CreateBody;
    try {
      checkPullOption(flags.pull);
      body = createRequest(flags, changed, args);
    } catch (error) {
      if (!isHavreError(error)) throw error;
      reportCreation(context, error, true);
      return EXIT_REFUSED;
    }
    if (flags.detach) detach(body, flags.attach);
    else checkTerminal(body.AttachStdin, body.Tty);
    if (body.Tty) body.HostConfig.ConsoleSize = await consoleSize(context.out.isTerminal);
    const trace = flags.trace ? new (await import("./trace.ts")).Trace() : undefined;
    if (trace) await context.client();
    trace?.mark("connect");
    const denials = watchDenials(context, body, flags.name);
    const order = { context: denials.context, body, flags, trace };
    try {
      const code = (await runInOne(order)) ?? (await runInSteps(order));
      denials.tell(code);
      trace?.print(context.err);
      return code;
    } catch (error) {
      // What fails once there is a container is told by those who run it; this is what the creation refused.
      if (!isHavreError(error)) throw error;
      reportCreation(context, error, true);
      return startExitCode(error);
    }
  },
});

function detach(body: CreateBody, attach: readonly string[]): void {
  if (attach.length > 0) throw new HavreError("invalid-argument", "Conflicting options: -a and -d");
  body.AttachStdin = false;
  body.AttachStdout = false;
  body.AttachStderr = false;
  body.StdinOnce = false;
}
