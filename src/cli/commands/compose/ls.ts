import { LABEL } from "../../../compose/mod.ts";
import { filterFlag, formatFlag, jsonFlag, quietFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import type { ContainerSummary } from "../../types.ts";

interface ProjectRow {
  readonly Name: string;
  readonly Status: string;
  readonly ConfigFiles: string;
}

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List running compose projects",
  examples: [["compose ls -a", "Those whose containers have stopped too"]],
  flags: {
    all: toggle("Show all stopped Compose projects", { short: "a" }),
    filter: filterFlag(),
    format: formatFlag,
    json: jsonFlag,
    quiet: quietFlag("Only display project names"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    const filters = JSON.stringify({ label: [LABEL.project] });
    const found = await client.json<ContainerSummary[]>("GET", "/containers/json", {
      query: { all: flags.all || undefined, filters },
    });
    const names = flags.filter.name?.map((pattern) => new RegExp(pattern));
    const rows = projects(found).filter(({ Name }) => names?.some((pattern) => pattern.test(Name)) ?? true);
    if (flags.quiet) for (const { Name } of rows) context.out.line(Name);
    else if (flags.json || flags.format === "json") printJson(context.out, rows);
    else {
      const isDefault = flags.format === "" || flags.format === "table";
      await printList(context.out, {
        rows: rows.map((row) => ({
          Name: () => row.Name,
          Status: () => row.Status,
          ConfigFiles: () => row.ConfigFiles,
        })),
        headings: { Name: "NAME", Status: "STATUS", ConfigFiles: "CONFIG FILES" },
        typeName: "*formatter.ProjectContext",
        format: isDefault ? "table {{.Name}}\t{{.Status}}\t{{.ConfigFiles}}" : flags.format,
      });
    }
    return 0;
  },
});

function projects(containers: readonly ContainerSummary[]): ProjectRow[] {
  const byName = Object.groupBy(containers, ({ Labels }) => Labels?.[LABEL.project] ?? "");
  return Object.entries(byName)
    .map(([Name, own = []]) => {
      const states = Object.groupBy(own, ({ State }) => State);
      const files = new Set(own.flatMap(({ Labels }) => Labels?.[LABEL.configFiles]?.split(",") ?? []));
      return {
        Name,
        Status: Object.entries(states)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([state, all = []]) => `${state}(${all.length})`)
          .join(", "),
        ConfigFiles: [...files].join(","),
      };
    })
    .sort((a, b) => (a.Name < b.Name ? -1 : 1));
}
