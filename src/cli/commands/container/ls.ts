import { filterFlag, filtersQuery, formatFlag, jsonFlag, noTruncFlag, quietFlag } from "../../args/common.ts";
import { integer, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import type { ContainerSummary } from "../../types.ts";
import { CONTAINER_TABLE, containerHeadings, containerRow } from "./view.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List containers",
  examples: [
    ["ps", "Containers that run"],
    ["ps -a --filter status=exited --filter label=app=web", "Those that ended, of one application"],
    ["ps --format 'table {{.Names}}\\t{{.Status}}'", "Two columns only"],
    ["ps --json", "For programs"],
  ],
  flags: {
    all: toggle("Show all containers (default shows just running)", { short: "a" }),
    filter: filterFlag(),
    format: formatFlag,
    json: jsonFlag,
    last: integer("Show n last created containers (includes all states)", {
      short: "n",
      initial: -1,
      defaultText: "-1",
    }),
    latest: toggle("Show the latest created container (includes all states)", { short: "l" }),
    "no-trunc": noTruncFlag,
    quiet: quietFlag("Only display container IDs"),
    size: toggle("Display total file sizes", { short: "s" }),
  },
  min: 0,
  max: 0,
  async run({ context, flags, changed }) {
    const client = await context.client();
    const size = changed.has("size") ? flags.size : flags.size || /\{\{[^}]*\.Size\b/.test(flags.format);
    const limit = flags.latest && flags.last === -1 ? 1 : flags.last;
    const containers = await client.json<ContainerSummary[]>("GET", "/containers/json", {
      query: {
        all: flags.all || undefined,
        limit: limit > 0 ? limit : undefined,
        size: size || undefined,
        filters: filtersQuery(flags.filter),
      },
    });
    if (flags.json) {
      printJson(context.out, containers);
      return 0;
    }
    const isDefault = flags.format === "" || flags.format === "table";
    await printList(context.out, {
      rows: containers.map((container) => containerRow(container, !flags["no-trunc"])),
      headings: containerHeadings,
      typeName: "*formatter.ContainerContext",
      format: containerFormat(flags.format, flags.quiet, size),
      fit: isDefault && !flags["no-trunc"],
    });
    return 0;
  },
});

const RAW = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`;

function containerFormat(format: string, quiet: boolean, size: boolean): string {
  if (format === "raw") return quiet ? "container_id: {{.ID}}" : RAW + (size ? "size: {{.Size}}\\n" : "");
  if (quiet) return "{{.ID}}";
  if (format === "" || format === "table") return CONTAINER_TABLE + (size ? "\t{{.Size}}" : "");
  return format;
}
