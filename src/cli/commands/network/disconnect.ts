import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NETWORK CONTAINER",
  summary: "Disconnect a container from a network",
  examples: [["network disconnect app web", "At once if it runs, and for its next start"]],
  flags: { force: toggle("Force the container to disconnect from a network", { short: "f" }) },
  min: 2,
  max: 2,
  async run({ context, flags, args: [network = "", container = ""] }) {
    const client = await context.client();
    const json = { Container: container, Force: flags.force };
    await client.run("POST", `/networks/${encodeURIComponent(network)}/disconnect`, { json });
    return 0;
  },
});
