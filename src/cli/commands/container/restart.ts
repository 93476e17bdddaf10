import { integer, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Restart one or more containers",
  examples: [
    ["restart web", "Stop it as havre stop does, then start it"],
    ["restart --time 60 db", "Give it a minute to end"],
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
      await client.run("POST", `/containers/${name}/restart`, { query });
      return name;
    });
  },
});
