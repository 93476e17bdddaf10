import { filterFlag, filtersQuery, formatFlag, jsonFlag, noTruncFlag, quietFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import type { NetworkSummary } from "../../types.ts";
import { networkHeadings, networkRow } from "./view.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List networks",
  examples: [
    ["network ls", "All of them"],
    ["network ls --filter dangling=true -q", "Ids of those that no container is on"],
    ["network ls --format '{{.Name}} {{.Internal}}'", "Two fields"],
  ],
  flags: {
    filter: filterFlag('Provide filter values (e.g. "driver=bridge")'),
    format: formatFlag,
    json: jsonFlag,
    "no-trunc": noTruncFlag,
    quiet: quietFlag("Only display network IDs"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    const query = { filters: filtersQuery(flags.filter) };
    const networks = await client.json<NetworkSummary[]>("GET", "/networks", { query });
    if (flags.json) {
      printJson(context.out, networks);
      return 0;
    }
    const sorted = [...networks].sort((one, other) => one.Name.localeCompare(other.Name, "en", { numeric: true }));
    await printList(context.out, {
      rows: sorted.map((network) => networkRow(network, !flags["no-trunc"])),
      headings: networkHeadings,
      typeName: "*formatter.networkContext",
      format: networkFormat(flags.format, flags.quiet),
      fit: flags.format === "" && !flags["no-trunc"],
    });
    return 0;
  },
});

function networkFormat(format: string, quiet: boolean): string {
  if (format === "raw") {
    return quiet
      ? "network_id: {{.ID}}"
      : "network_id: {{.ID}}\nname: {{.Name}}\ndriver: {{.Driver}}\nscope: {{.Scope}}\n";
  }
  if (format !== "" && format !== "table") return format;
  return quiet ? "{{.ID}}" : "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";
}
