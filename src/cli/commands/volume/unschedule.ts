import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME [NAME...]",
  summary: "End scheduled backups",
  detail: "The backups that were made stay.",
  examples: [["volume unschedule nightly", "It runs no more"]],
  flags: {},
  min: 1,
  async run({ context, args }) {
    const client = await context.client();
    return forEach(context, args, async (name) => {
      await client.run("DELETE", `/havre/v1/volume-schedules/${encodeURIComponent(name)}`);
      return name;
    });
  },
});
