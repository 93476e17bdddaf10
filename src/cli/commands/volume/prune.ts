import { HavreError } from "../../../base/mod.ts";
import { filterFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { humanSize } from "../../output/units.ts";
import { confirm } from "../confirm.ts";
import { pruneVolumes } from "../prune.ts";

const { short: _none, ...filter } = filterFlag('Provide filter values (e.g. "label=<label>")');

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused local volumes",
  examples: [
    ["volume prune", "Anonymous ones no container has"],
    ["volume prune -a --filter 'label!=keep'", "Named ones too, but for those with a label"],
  ],
  flags: {
    all: toggle("Remove all unused volumes, not just anonymous ones", { short: "a" }),
    filter,
    force: toggle("Do not prompt for confirmation", { short: "f" }),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const what = flags.all ? "all" : "anonymous";
    const warning = `WARNING! This will remove ${what} local volumes not used by at least one container.\nAre you sure you want to continue?`;
    if (!flags.force && !(await confirm(context, warning)))
      throw new HavreError("cancelled", "volume prune has been cancelled");
    const { lines, reclaimed } = await pruneVolumes(await context.client(), flags.filter, flags.all);
    for (const line of lines) context.out.line(line);
    context.out.line(`Total reclaimed space: ${humanSize(reclaimed)}`);
    return 0;
  },
});
