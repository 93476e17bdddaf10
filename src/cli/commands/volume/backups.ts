import { formatFlag, jsonFlag, quietFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import { ago, humanSize } from "../../output/units.ts";
import { type BackupView, daemonPath } from "./backup-view.ts";
import { openerFields, openerFlags } from "./keys.ts";

const headings = { ID: "BACKUP", Volume: "VOLUME", Taken: "TAKEN", Size: "SIZE", Added: "ADDED", Paused: "PAUSED" };

export const command = defineCommand({
  usage: "[OPTIONS] FILE|DIR",
  summary: "List the backups in a folder",
  examples: [["volume backups /srv/backups", "The oldest first, with what each added"]],
  flags: { ...openerFlags, format: formatFlag, json: jsonFlag, quiet: quietFlag("Only display the names of backups") },
  min: 1,
  max: 1,
  async run({ context, flags, args: [source = ""] }) {
    const client = await context.client();
    const json = { source: daemonPath(source), ...openerFields(flags) };
    const listed = await client.json<(BackupView & { paused: boolean; problem?: string })[]>(
      "POST",
      "/havre/v1/volumes/backups",
      {
        json,
      },
    );
    if (flags.json) {
      printJson(context.out, listed);
      return 0;
    }
    const backups = listed.filter(({ problem }) => problem === undefined);
    for (const { problem } of listed) if (problem !== undefined) context.err.line(`Warning: ${problem}`);
    const plain = flags.format === "" || flags.format === "table";
    const table = "table {{.ID}}\t{{.Volume}}\t{{.Taken}}\t{{.Size}}\t{{.Added}}\t{{.Paused}}";
    await printList(context.out, {
      rows: backups.map(({ id, volume, taken, size, stored, paused }) => ({
        ID: () => id,
        Volume: () => volume,
        Taken: () => ago(taken / 1000),
        Size: () => (size === 0 ? "" : humanSize(size)),
        Added: () => humanSize(stored),
        Paused: () => String(paused),
      })),
      headings,
      typeName: "backup",
      format: plain ? (flags.quiet ? "{{.ID}}" : table) : flags.format,
    });
    return 0;
  },
});
