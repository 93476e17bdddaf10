import { HavreError, isHavreError } from "../../../base/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { forEach } from "../each.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Remove one or more containers",
  examples: [
    ["rm job", "Remove one that has ended"],
    ["rm -f web", "Kill it first if it runs"],
  ],
  flags: {
    force: toggle("Force the removal of a running container (uses SIGKILL)", { short: "f" }),
    link: toggle("Remove the specified link", { short: "l" }),
    volumes: toggle("Remove anonymous volumes associated with the container", { short: "v" }),
  },
  min: 1,
  async run({ context, flags, args }) {
    const client = await context.client();
    const query = { force: flags.force || undefined, link: flags.link || undefined, v: flags.volumes || undefined };
    return forEach(context, args, async (given) => {
      const name = given.replace(/^\/+|\/+$/g, "");
      if (name === "") throw new HavreError("invalid-argument", "Container name cannot be empty");
      try {
        await client.run("DELETE", `/containers/${name}`, { query });
      } catch (error) {
        // Gone already is what was asked for, when asked with force: said, but no failure.
        if (!flags.force || !isHavreError(error, "not-found")) throw error;
        context.err.line(error.message);
        return undefined;
      }
      return given;
    });
  },
});
