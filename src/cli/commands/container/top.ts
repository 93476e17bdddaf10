import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { layOut } from "../../output/columns.ts";
import { printJson } from "../../output/format.ts";
import { terminalSize } from "../../output/terminal.ts";
import { displayWidth } from "../../output/width.ts";

export const command = defineCommand({
  usage: "CONTAINER [ps OPTIONS]",
  summary: "Display the running processes of a container",
  examples: [
    ["top web", "As ps -ef shows them"],
    ["top web -o pid,rss,args", "Chosen columns"],
  ],
  flags: { json: jsonFlag },
  min: 1,
  interspersed: false,
  async run({ context, flags, args: [name = "", ...options] }) {
    const client = await context.client();
    const table = await client.json<{ Titles: string[]; Processes: string[][] | null }>(
      "GET",
      `/containers/${name}/top`,
      {
        query: { ps_args: options.length > 0 ? options.join(" ") : undefined },
      },
    );
    if (flags.json) {
      printJson(context.out, table);
      return 0;
    }
    const rows = [table.Titles, ...(table.Processes ?? [])];
    if (context.out.isTerminal) {
      const { columns } = await terminalSize(1);
      context.out.write(layOut(`${rows.map((row) => row.join("\t")).join("\n")}\n`, columns));
      return 0;
    }
    const widths = table.Titles.map((_title, column) =>
      Math.max(20, ...rows.map((row) => displayWidth(row[column] ?? "") + 3)),
    );
    for (const row of rows) {
      const cells = row.map(
        (cell, column) => cell + " ".repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell))),
      );
      context.out.line([...cells.slice(0, -1), row.at(-1) ?? ""].join(""));
    }
    return 0;
  },
});
