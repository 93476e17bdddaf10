import { HavreError } from "../../../base/mod.ts";
import { parseSize } from "../../../spec/mod.ts";
import { filterFlag } from "../../args/common.ts";
import { toggle, value } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { humanSize } from "../../output/units.ts";
import { confirm } from "../confirm.ts";
import { pruneBuildCache } from "../prune.ts";

const { short: _none, ...filter } = filterFlag('Provide filter values (e.g. "until=24h")');

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove build cache",
  examples: [
    ["builder prune", "What no image has"],
    ["builder prune -a --filter until=72h", "All that was not used for three days"],
    ["builder prune --keep-storage 2GB", "The longest unused, until 2 GB are left"],
  ],
  flags: {
    all: toggle("Remove all unused build cache, not just what no image has", { short: "a" }),
    filter,
    force: toggle("Do not prompt for confirmation", { short: "f" }),
    "keep-storage": value("bytes", "Amount of disk space to keep for cache", 0, parseBytes),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const what = flags.all ? "all build cache" : "all dangling build cache";
    const warning = `WARNING! This will remove ${what}.\nAre you sure you want to continue?`;
    if (!flags.force && !(await confirm(context, warning)))
      throw new HavreError("cancelled", "builder prune has been cancelled");
    const pruned = await pruneBuildCache(await context.client(), flags.filter, {
      all: flags.all,
      keep: flags["keep-storage"],
    });
    for (const line of pruned.lines) context.out.line(line);
    context.out.line(`Total reclaimed space: ${humanSize(pruned.reclaimed)}`);
    return 0;
  },
});

function parseBytes(words: string): number {
  const bytes = parseSize(words, 1000);
  if (bytes === undefined) throw new HavreError("invalid-argument", `invalid size: ${JSON.stringify(words)}`);
  return bytes;
}
