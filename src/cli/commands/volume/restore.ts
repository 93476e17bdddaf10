import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { type BackupView, daemonPath } from "./backup-view.ts";
import { openerFields, openerFlags } from "./keys.ts";

export const command = defineCommand({
  usage: "[OPTIONS] FILE|DIR [VOLUME]",
  summary: "Make a volume of a backup",
  detail:
    "The volume is a new one, or one that is there and empty. It changes in one step when everything has been read and checked; if anything is wrong it stays what it was.",
  examples: [
    ["volume restore /srv/backups data", "The newest backup of that volume"],
    ["volume restore --backup data-20260102T030405678Z /srv/backups old-data", "An older one, beside it"],
    ["volume restore --force db.tar.zst db", "Instead of what is in it"],
  ],
  flags: {
    ...openerFlags,
    backup: text("Which backup of a folder (default the newest)"),
    force: toggle("Replace what is in the volume", { short: "f" }),
  },
  min: 1,
  max: 2,
  async run({ context, flags, args: [source = "", volume = ""] }) {
    const client = await context.client();
    const json = {
      source: daemonPath(source),
      volume,
      force: flags.force,
      ...(flags.backup === "" ? {} : { backup: flags.backup }),
      ...openerFields(flags),
    };
    const report = await client.json<BackupView>("POST", "/havre/v1/volumes/restore", { json });
    context.out.line(report.volume);
    return 0;
  },
});
