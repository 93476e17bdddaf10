import { formatFlag, jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import { ago } from "../../output/units.ts";

interface ScheduleView {
  readonly id: string;
  readonly spec: { readonly volume: string; readonly target: string; readonly every: number };
  readonly status: { readonly lastBegun?: number; readonly lastBackup?: string; readonly lastError?: string };
}

const headings = { Name: "NAME", Volume: "VOLUME", Target: "FOLDER", Every: "EVERY", Last: "LAST", Outcome: "OUTCOME" };

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List scheduled backups",
  examples: [["volume schedules", "When each ran last, and what came of it"]],
  flags: { format: formatFlag, json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    const schedules = await client.json<ScheduleView[]>("GET", "/havre/v1/volume-schedules");
    if (flags.json) {
      printJson(context.out, schedules);
      return 0;
    }
    const plain = flags.format === "" || flags.format === "table";
    await printList(context.out, {
      rows: schedules.map(({ id, spec, status }) => ({
        Name: () => id,
        Volume: () => spec.volume,
        Target: () => spec.target,
        Every: () => inUnits(spec.every),
        Last: () => (status.lastBegun === undefined ? "never" : ago(status.lastBegun / 1000)),
        Outcome: () => status.lastError ?? status.lastBackup ?? "",
      })),
      headings,
      typeName: "schedule",
      format: plain ? "table {{.Name}}\t{{.Volume}}\t{{.Target}}\t{{.Every}}\t{{.Last}}\t{{.Outcome}}" : flags.format,
    });
    return 0;
  },
});

/** As a person would give it: `24h`, `1h30m`, `90s`. */
function inUnits(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 3600), "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  return parts.map(([count, unit]) => (count === 0 ? "" : `${count}${unit}`)).join("");
}
