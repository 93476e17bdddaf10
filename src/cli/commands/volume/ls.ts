import { filterFlag, filtersQuery, formatFlag, jsonFlag, quietFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import type { VolumeView } from "../../types.ts";
import { volumeHeadings, volumeRow } from "./view.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List volumes",
  examples: [
    ["volume ls --filter dangling=true", "Those no container has"],
    ["volume ls --format '{{.Name}} {{.Labels}}'", "With their labels"],
  ],
  flags: {
    filter: filterFlag('Provide filter values (e.g. "dangling=true")'),
    format: formatFlag,
    json: jsonFlag,
    quiet: quietFlag("Only display volume names"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    const { Volumes, Warnings } = await client.json<{ Volumes: VolumeView[]; Warnings: string[] | null }>(
      "GET",
      "/volumes",
      { query: { filters: filtersQuery(flags.filter) } },
    );
    for (const warning of Warnings ?? []) context.err.line(`WARNING: ${warning}`);
    const byName = new Intl.Collator("en", { numeric: true });
    const volumes = Volumes.sort((one, other) => byName.compare(one.Name, other.Name));
    if (flags.json) {
      printJson(context.out, volumes);
      return 0;
    }
    const plain = flags.format === "" || flags.format === "table";
    await printList(context.out, {
      rows: volumes.map(volumeRow),
      headings: volumeHeadings,
      typeName: "*formatter.volumeContext",
      format: plain ? (flags.quiet ? "{{.Name}}" : "table {{.Driver}}\t{{.Name}}") : flags.format,
    });
    return 0;
  },
});
