import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import { cacheSize, type DiskUsage, printBuildCache } from "../system/disk-usage.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show what builds left for builds to come",
  examples: [["builder du", "Steps whose result is known, and the folders of RUN --mount=type=cache"]],
  flags: { json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    const usage = await client.json<DiskUsage>("GET", "/system/df", { query: { type: "build-cache" } });
    if (flags.json) {
      printJson(context.out, usage.BuildCache ?? []);
      return 0;
    }
    await printBuildCache(context.out, usage, true);
    const { total, shared } = cacheSize(usage);
    context.out.line(`\nTotal: ${humanSize(total)}, and ${humanSize(shared)} that images have too`);
    return 0;
  },
});
