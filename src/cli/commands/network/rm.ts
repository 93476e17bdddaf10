import { isHavreError } from "../../../base/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "NETWORK [NETWORK...]",
  summary: "Remove one or more networks",
  examples: [["network rm app", "Containers that run on it must be stopped or disconnected first"]],
  flags: { force: toggle("Do not error if the network does not exist", { short: "f" }) },
  min: 1,
  async run({ context, flags, args }) {
    const client = await context.client();
    return forEach(context, args, async (name) => {
      try {
        await client.run("DELETE", `/networks/${encodeURIComponent(name)}`);
      } catch (error) {
        if (!flags.force || !isHavreError(error, "not-found")) throw error;
        return undefined;
      }
      return name;
    });
  },
});
