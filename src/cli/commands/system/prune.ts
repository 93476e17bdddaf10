import { HavreError } from "../../../base/mod.ts";
import { type Filters, filterFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { humanSize } from "../../output/units.ts";
import { confirm } from "../confirm.ts";
import { pruneBuildCache, pruneContainers, pruneImages, pruneNetworks, pruneVolumes } from "../prune.ts";

const { short: _none, ...filter } = filterFlag('Provide filter values (e.g. "label=<key>=<value>")');

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Remove unused data",
  examples: [["system prune -a", "Stopped containers, and images no container uses"]],
  flags: {
    all: toggle("Remove all unused images not just dangling ones", { short: "a" }),
    filter,
    force: toggle("Do not prompt for confirmation", { short: "f" }),
    volumes: toggle("Prune anonymous volumes"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const images = flags.all ? "all images without at least one container associated to them" : "all dangling images";
    const cache = flags.all ? "all build cache" : "unused build cache";
    const volumes = flags.volumes ? "  - all anonymous volumes not used by at least one container\n" : "";
    const filters = Object.entries(flags.filter).flatMap(([name, values]) => values.map((value) => `${name}=${value}`));
    const filtered =
      filters.length === 0
        ? ""
        : `\n  Items to be pruned will be filtered with:\n${filters.map((text) => `  - ${text}\n`).join("")}`;
    const networks = "  - all networks not used by at least one container\n";
    const warning = `WARNING! This will remove:\n  - all stopped containers\n${networks}${volumes}  - ${images}\n  - ${cache}\n${filtered}\nAre you sure you want to continue?`;
    if (!flags.force && !(await confirm(context, warning)))
      throw new HavreError("cancelled", "system prune has been cancelled");
    const client = await context.client();
    let total = 0;
    for (const { lines, reclaimed } of [
      await pruneContainers(client, flags.filter),
      ...(flags.volumes ? [await pruneVolumes(client, withoutUntil(flags.filter), false)] : []),
      await pruneNetworks(client, flags.filter),
      await pruneImages(client, flags.filter, flags.all),
      await pruneBuildCache(client, onlyUntil(flags.filter), { all: flags.all }),
    ]) {
      for (const line of lines) context.out.line(line);
      total += reclaimed;
    }
    context.out.line(`Total reclaimed space: ${humanSize(total)}`);
    return 0;
  },
});

/** Volumes have no age that this could mean (Docker's client leaves it out too). */
function withoutUntil({ until: _until, ...filters }: Filters): Filters {
  return filters;
}

/** Of the build cache only the age can be asked. */
function onlyUntil({ until }: Filters): Filters {
  return until === undefined ? {} : { until };
}
