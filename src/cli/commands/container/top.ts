import { jsonFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { layOut } from "../../output/columns.ts";
import { printJson } from "../../output/format.ts";
import { terminalSize } from "../../output/terminal.ts";
import { displayWidth } from "../../output/width.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [CONTAINER [ps OPTIONS]]",
  summary: "Show all containers live on the whole screen, or the processes of one",
  detail: `Without a container: processors, memory, network and health of all, projects apart, with the log of the chosen one.
The keys are told by '?'. Where there is no terminal, --once prints a table and --json the same for programs.`,
  examples: [
    ["top", "Everything, live"],
    ["top --once", "The same as a table, once"],
    ["top web", "Processes of one, as ps -ef shows them"],
    ["top web -o pid,rss,args", "Chosen columns"],
  ],
  flags: {
    all: toggle("Begin with those that are stopped shown, too", { short: "a" }),
    json: jsonFlag,
    once: toggle("Print a table instead of drawing on the screen"),
  },
  min: 0,
  interspersed: false,
  async run({ context, flags, args: [name = "", ...options] }) {
    if (name === "") {
      const { printLooks, runTop } = await import("../../top/mod.ts");
      if (!flags.once && !flags.json) return await runTop(context, flags.all);
      await printLooks(await context.client(), context.out, flags);
      return 0;
    }
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
