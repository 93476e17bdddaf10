import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Kill one or more running containers",
  examples: [
    ["kill web", "Send SIGKILL"],
    ["kill --signal HUP proxy", "Make it read its configuration again"],
  ],
  flags: { signal: text("Signal to send to the container", { short: "s" }) },
  min: 1,
  async run({ context, flags, args }) {
    const client = await context.client();
    return forEach(context, args, async (name) => {
      await client.run("POST", `/containers/${name}/kill`, { query: { signal: flags.signal || undefined } });
      return name;
    });
  },
});
