import { jsonFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import { type BackupView, daemonPath } from "./backup-view.ts";
import { lockFields, lockFlags } from "./keys.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME FILE|DIR",
  summary: "Back up a volume",
  detail:
    "Into a folder that exists, where what earlier backups have is not stored again; or into a file that stands alone, which 'zstd -d | tar -x' reads too. Paths are of the daemon's host.",
  examples: [
    ["volume backup data /srv/backups", "Only what is new since the last one"],
    ["volume backup --pause db /srv/db.tar.zst", "Its containers stand still meanwhile"],
    ["volume backup -r age1… data /srv/safe", "Readable only by who has the secret key"],
  ],
  flags: {
    ...lockFlags,
    force: toggle("Replace a file that is there", { short: "f" }),
    json: jsonFlag,
    pause: toggle("Pause the containers that have the volume meanwhile"),
  },
  min: 2,
  max: 2,
  async run({ context, flags, args: [volume = "", target = ""] }) {
    const client = await context.client();
    const json = { volume, target: daemonPath(target), pause: flags.pause, force: flags.force, ...lockFields(flags) };
    const report = await client.json<BackupView>("POST", "/havre/v1/volumes/backup", { json });
    if (flags.json) printJson(context.out, report);
    else {
      context.out.line(report.id);
      context.err.line(`${humanSize(report.size)} of ${volume}, ${humanSize(report.stored)} added to ${target}`);
    }
    return 0;
  },
});
