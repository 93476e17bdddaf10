import { defineCommand } from "../../command.ts";
import type { WaitAnswer } from "../../types.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "CONTAINER [CONTAINER...]",
  summary: "Block until one or more containers stop, then print their exit codes",
  examples: [["wait job", "Print the code it ends with"]],
  flags: {},
  min: 1,
  async run({ context, args }) {
    const client = await context.client();
    return forEach(context, args, async (name) => {
      const answer = await client.json<WaitAnswer>("POST", `/containers/${name}/wait`);
      return String(answer.StatusCode);
    });
  },
});
