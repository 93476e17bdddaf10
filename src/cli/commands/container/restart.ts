import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";
import { stoppingFlags, stoppingQuery } from "./options/stopping.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Restart one or more containers",
  examples: [
    ["restart web", "Stop it as havre stop does, then start it"],
    ["restart --time 60 db", "Give it a minute to end"],
  ],
  flags: stoppingFlags,
  min: 1,
  async run({ context, flags, changed, args }) {
    const client = await context.client();
    const query = stoppingQuery(flags, changed);
    return forEach(context, args, async (name) => {
      await client.run("POST", `/containers/${name}/restart`, { query });
      return name;
    });
  },
});
