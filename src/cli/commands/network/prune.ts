import { HavreError } from "../../../base/mod.ts";
import { filterFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { confirm } from "../confirm.ts";
import { pruneNetworks } from "../prune.ts";

const { short: _none, ...filter } = filterFlag('Provide filter values (e.g. "until=<timestamp>")');

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all unused networks",
  examples: [["network prune -f --filter label=app=web", "Of one application, without asking"]],
  flags: { filter, force: toggle("Do not prompt for confirmation", { short: "f" }) },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const warning =
      "WARNING! This will remove all custom networks not used by at least one container.\nAre you sure you want to continue?";
    if (!flags.force && !(await confirm(context, warning)))
      throw new HavreError("cancelled", "network prune has been cancelled");
    for (const line of (await pruneNetworks(await context.client(), flags.filter)).lines) context.out.line(line);
    return 0;
  },
});
