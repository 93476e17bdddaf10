import { integer, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop one or more running containers",
  examples: [
    ["stop web", "Ask it to end, kill it after ten seconds"],
    ["stop --time 60 db", "Give it a minute"],
  ],
  flags: {
    signal: text("Signal to send to the container", { short: "s" }),
    time: integer("Seconds to wait before killing the container", { short: "t" }),
  },
  min: 1,
  async run({ context, flags, changed, args }) {
    const client = await context.client();
    const query = { t: changed.has("time") ? flags.time : undefined, signal: flags.signal || undefined };
    return forEach(context, args, async (name) => {
      await client.run("POST", `/containers/${name}/stop`, { query, accept: ["not-modified"] });
      return name;
    });
  },
});
