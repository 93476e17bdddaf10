import { HavreError, isHavreError } from "../../../base/mod.ts";
import type { Query } from "../../../client/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import type { Context } from "../../context.ts";
import { runSession } from "../../streams/session.ts";
import { forwardSignals } from "../../streams/signals.ts";
import type { ContainerDetail } from "../../types.ts";
import { exitOf } from "./exit.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Start one or more stopped containers",
  examples: [
    ["start web db", "In the background"],
    ["start -ai sh", "With its terminal"],
  ],
  flags: {
    attach: toggle("Attach STDOUT/STDERR and forward signals", { short: "a" }),
    checkpoint: text("Restore from this checkpoint"),
    "checkpoint-dir": text("Use a custom checkpoint storage directory"),
    "detach-keys": text("Override the key sequence for detaching a container"),
    interactive: toggle("Attach container's STDIN", { short: "i" }),
  },
  min: 1,
  async run({ context, flags, args }) {
    const query = { checkpoint: flags.checkpoint || undefined, "checkpoint-dir": flags["checkpoint-dir"] || undefined };
    if (!flags.attach && !flags.interactive) return startAll(context, args, query);
    const [name = "", ...others] = args;
    if (others.length > 0)
      throw new HavreError("invalid-argument", "you cannot start and attach multiple containers at once");
    return startAttached(context, name, flags.interactive, flags["detach-keys"]);
  },
});

async function startAll(context: Context, names: readonly string[], query: Query): Promise<number> {
  const client = await context.client();
  const failed: string[] = [];
  for (const name of names) {
    try {
      await client.run("POST", `/containers/${name}/start`, { query, accept: ["not-modified"] });
      context.out.line(name);
    } catch (error) {
      if (!isHavreError(error)) throw error;
      context.err.line(error.message);
      if (error.hint !== undefined) context.err.line(error.hint);
      failed.push(name);
    }
  }
  if (failed.length === 0) return 0;
  throw new HavreError("failed-precondition", `Error: failed to start containers: ${failed.join(", ")}`);
}

async function startAttached(
  context: Context,
  name: string,
  interactive: boolean,
  detachKeys: string,
): Promise<number> {
  const client = await context.client();
  const { Id, Config, HostConfig } = await client.json<ContainerDetail>("GET", `/containers/${name}/json`);
  const stdin = interactive && Config.OpenStdin;
  const condition = HostConfig.AutoRemove ? "removed" : "next-exit";
  const [stream, waiting] = await Promise.all([
    client.hijack("POST", `/containers/${Id}/attach`, {
      query: {
        stream: true,
        stdin: stdin || undefined,
        stdout: true,
        stderr: true,
        detachKeys: detachKeys || undefined,
      },
    }),
    client.request("POST", `/containers/${Id}/wait`, { query: { condition } }),
  ]);
  using _signals = Config.Tty ? undefined : forwardSignals(client, Id, context.err);
  try {
    await client.run("POST", `/containers/${Id}/start`, { accept: ["not-modified"] });
  } catch (error) {
    stream.close();
    throw error;
  }
  const resizes = Config.Tty && context.out.isTerminal;
  const { followSize } = resizes ? await import("../../streams/resize.ts") : { followSize: undefined };
  using _size = followSize?.(client, `/containers/${Id}/resize`);
  const end = await runSession({
    stream,
    tty: Config.Tty,
    stdin,
    detachKeys,
    context,
  });
  return end === "detached" ? 0 : exitOf(context, waiting.text());
}
