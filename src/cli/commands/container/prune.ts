import { HavreError } from "../../../base/mod.ts";
import { filterFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { humanSize } from "../../output/units.ts";
import { confirm } from "../confirm.ts";
import { pruneContainers } from "../prune.ts";

const { short: _none, ...filter } = filterFlag('Provide filter values (e.g. "until=<timestamp>")');

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove all stopped containers",
  examples: [["container prune -f --filter until=24h", "Those older than a day, without asking"]],
  flags: { filter, force: toggle("Do not prompt for confirmation", { short: "f" }) },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const warning = "WARNING! This will remove all stopped containers.\nAre you sure you want to continue?";
    if (!flags.force && !(await confirm(context, warning)))
      throw new HavreError("cancelled", "container prune has been cancelled");
    const { lines, reclaimed } = await pruneContainers(await context.client(), flags.filter);
    for (const line of lines) context.out.line(line);
    context.out.line(`Total reclaimed space: ${humanSize(reclaimed)}`);
    return 0;
  },
});
