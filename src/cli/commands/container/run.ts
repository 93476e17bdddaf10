import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Client, Hijacked } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { isTerminal } from "../../output/output.ts";
import { runSession } from "../../streams/session.ts";
import { forwardSignals } from "../../streams/signals.ts";
import { checkTerminal, consoleSize } from "../../streams/standard.ts";
import { checkPullOption, createContainer, creationFlags, reportCreation, startExitCode } from "./creation.ts";
import { exitOf } from "./exit.ts";
import { type CreateBody, createRequest } from "./options/request.ts";
import type { Trace } from "./trace.ts";

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
    let id: string;
    try {
      id = await createContainer(context, body, flags);
    } catch (error) {
      if (!isHavreError(error)) throw error;
      reportCreation(context, error, true);
      return startExitCode(error);
    }
    trace?.mark("create");
    return new Run(context, await context.client(), id, body, flags, trace).run();
  },
});

function detach(body: CreateBody, attach: readonly string[]): void {
  if (attach.length > 0) throw new HavreError("invalid-argument", "Conflicting options: -a and -d");
  body.AttachStdin = false;
  body.AttachStdout = false;
  body.AttachStderr = false;
  body.StdinOnce = false;
}

/** A created container on its way: attach and wait before the start, so that nothing it says or does is missed. */
class Run {
  constructor(
    readonly context: Context,
    readonly client: Client,
    readonly id: string,
    readonly body: CreateBody,
    readonly flags: { readonly "detach-keys": string; readonly "sig-proxy": boolean },
    readonly trace: Trace | undefined,
  ) {}

  async run(): Promise<number> {
    const { AttachStdin, AttachStdout, AttachStderr } = this.body;
    const shown = AttachStdout || AttachStderr;
    const attached = AttachStdin || shown;
    // Nobody waits for a container that runs on its own.
    const [stream, exit] = await Promise.all([attached ? this.#attach() : undefined, shown ? this.#wait() : undefined]);
    using _signals =
      this.flags["sig-proxy"] && attached ? forwardSignals(this.client, this.id, this.context.err) : undefined;
    this.trace?.mark("attach and wait");
    try {
      const answer = await this.client.request("POST", `/containers/${this.id}/start`);
      await answer.text();
      this.trace?.mark("start", answer.head.headers.get("server-timing"));
    } catch (error) {
      if (!isHavreError(error)) throw error;
      stream?.close();
      reportCreation(this.context, error, false);
      if (this.body.HostConfig.AutoRemove) await exit?.promise.catch(() => {});
      return startExitCode(error);
    }
    if (!shown) this.context.out.line(this.id);
    if (stream && (await this.#session(stream)) === "detached") return 0;
    this.trace?.mark("run");
    const code = exit ? await exitOf(this.context, exit.promise) : 0;
    this.trace?.mark(this.body.HostConfig.AutoRemove ? "exit and removal" : "exit");
    this.trace?.print(this.context.err);
    return code;
  }

  #attach(): Promise<Hijacked> {
    const { AttachStdin, AttachStdout, AttachStderr } = this.body;
    return this.client.hijack("POST", `/containers/${this.id}/attach`, {
      query: {
        stream: true,
        stdin: AttachStdin || undefined,
        stdout: AttachStdout || undefined,
        stderr: AttachStderr || undefined,
        detachKeys: this.flags["detach-keys"] || undefined,
      },
    });
  }

  /** Resolves once the daemon waits; its answer comes later. */
  async #wait(): Promise<{ promise: Promise<string> }> {
    const condition = this.body.HostConfig.AutoRemove ? "removed" : "next-exit";
    const answer = await this.client.request("POST", `/containers/${this.id}/wait`, { query: { condition } });
    return { promise: answer.text() };
  }

  async #session(stream: Hijacked): Promise<"ended" | "detached"> {
    const { out, err } = this.context;
    const resizes = this.body.Tty && out.isTerminal;
    const { followSize } = resizes ? await import("../../streams/resize.ts") : { followSize: undefined };
    using _size = followSize?.(this.client, `/containers/${this.id}/resize`);
    // Awaited here: the size is followed until the session ends.
    return await runSession({
      stream,
      tty: this.body.Tty,
      stdin: this.body.AttachStdin,
      detachKeys: this.flags["detach-keys"],
      out,
      err,
      interactive: isTerminal(0),
    });
  }
}
