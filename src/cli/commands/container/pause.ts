import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Pause all processes within one or more containers",
  examples: [["pause worker", "Freeze it where it is"]],
  flags: {},
  min: 1,
  async run({ context, args }) {
    const client = await context.client();
    return forEach(context, args, async (name) => {
      await client.run("POST", `/containers/${name}/pause`);
      return name;
    });
  },
});
