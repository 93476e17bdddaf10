import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";
import { stoppingFlags, stoppingQuery } from "./options/stopping.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Stop one or more running containers",
  examples: [
    ["stop web", "Ask it to end, kill it after ten seconds"],
    ["stop --time 60 db", "Give it a minute"],
  ],
  flags: stoppingFlags,
  min: 1,
  async run({ context, flags, changed, args }) {
    const client = await context.client();
    const query = stoppingQuery(flags, changed);
    return forEach(context, args, async (name) => {
      await client.run("POST", `/containers/${name}/stop`, { query, accept: ["not-modified"] });
      return name;
    });
  },
});
