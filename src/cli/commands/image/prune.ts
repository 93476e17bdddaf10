import { HavreError } from "../../../base/mod.ts";
import { filterFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { humanSize } from "../../output/units.ts";
import { confirm } from "../confirm.ts";
import { pruneImages } from "../prune.ts";

const { short: _none, ...filter } = filterFlag('Provide filter values (e.g. "until=<timestamp>")');

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused images",
  examples: [
    ["image prune", "Those without a name"],
    ["image prune -a", "Those no container uses"],
  ],
  flags: {
    all: toggle("Remove all unused images, not just dangling ones", { short: "a" }),
    filter,
    force: toggle("Do not prompt for confirmation", { short: "f" }),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const what = flags.all ? "all images without at least one container associated to them" : "all dangling images";
    if (
      !flags.force &&
      !(await confirm(context, `WARNING! This will remove ${what}.\nAre you sure you want to continue?`))
    )
      throw new HavreError("cancelled", "image prune has been cancelled");
    const { lines, reclaimed } = await pruneImages(await context.client(), flags.filter, flags.all);
    for (const line of lines) context.out.line(line);
    context.out.line(`Total reclaimed space: ${humanSize(reclaimed)}`);
    return 0;
  },
});
