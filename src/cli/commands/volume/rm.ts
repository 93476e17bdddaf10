import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";
import { volumePath } from "../inspect.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Remove one or more volumes",
  detail: "A volume that a container has, running or not, is not removed.",
  examples: [["volume rm data", "With everything in it"]],
  flags: { force: toggle("Force the removal of one or more volumes", { short: "f" }) },
  min: 1,
  async run({ context, flags, args }) {
    const client = await context.client();
    return forEach(context, args, async (name) => {
      await client.run("DELETE", volumePath(name), { query: { force: flags.force || undefined } });
      return name;
    });
  },
});
