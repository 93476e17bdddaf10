import { HavreError } from "../../../base/mod.ts";
import type { Client } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { runSession } from "../../streams/session.ts";
import { forwardSignals } from "../../streams/signals.ts";
import { checkTerminal } from "../../streams/standard.ts";
import type { ContainerDetail } from "../../types.ts";
import { exitOf } from "./exit.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Attach local standard input, output, and error streams to a running container",
  examples: [
    ["attach sh", "Back into it; ctrl-p ctrl-q leaves it running"],
    ["attach --no-stdin web", "Only watch"],
  ],
  flags: {
    "detach-keys": text("Override the key sequence for detaching a container"),
    "no-stdin": toggle("Do not attach STDIN"),
    "sig-proxy": toggle("Proxy all received signals to the process", { initial: true, defaultText: "true" }),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const detail = await client.json<ContainerDetail>("GET", `/containers/${name}/json`);
    checkState(detail);
    const { Tty, OpenStdin } = detail.Config;
    const stdin = !flags["no-stdin"] && OpenStdin;
    checkTerminal(!flags["no-stdin"], Tty);
    const [waiting, stream] = await Promise.all([
      client.request("POST", `/containers/${detail.Id}/wait`),
      client.hijack("POST", `/containers/${detail.Id}/attach`, {
        query: {
          stream: true,
          stdin: stdin || undefined,
          stdout: true,
          stderr: true,
          detachKeys: flags["detach-keys"] || undefined,
        },
      }),
    ]);
    using _signals = flags["sig-proxy"] && !Tty ? forwardSignals(client, detail.Id, context.err) : undefined;
    using _size = Tty && context.out.isTerminal ? await followOurSize(client, detail.Id) : undefined;
    const end = await runSession({
      stream,
      tty: Tty,
      stdin,
      detachKeys: flags["detach-keys"],
      context,
    });
    if (end === "detached") {
      context.err.line("read escape sequence");
      return 1;
    }
    return exitOf(context, waiting.text());
  },
});

function checkState({ State }: ContainerDetail): void {
  const why = !State.Running
    ? "You cannot attach to a stopped container, start it first"
    : State.Paused
      ? "You cannot attach to a paused container, unpause it first"
      : State.Restarting
        ? "You cannot attach to a restarting container, wait until it is running"
        : undefined;
  if (why !== undefined) throw new HavreError("failed-precondition", why);
}

/**
 * A program draws its screen again when its terminal's size changes: going through another size makes it do so for
 * someone who comes back.
 */
async function followOurSize(client: Client, id: string): Promise<Disposable> {
  const { terminalSize } = await import("../../output/terminal.ts");
  const { followSize } = await import("../../streams/resize.ts");
  const { rows, columns } = await terminalSize(1);
  const path = `/containers/${id}/resize`;
  // Not being able to resize is no reason not to attach.
  await client.run("POST", path, { query: { h: rows + 1, w: columns + 1 } }).catch(() => {});
  return followSize(client, path);
}
