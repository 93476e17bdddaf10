import { HavreError } from "../../../base/mod.ts";
import { integer, list, toggle, value } from "../../args/flags.ts";
import { durationNanos } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { daemonPath } from "./backup-view.ts";

const keep = (what: string) => integer(`Backups to keep: ${what}`, { min: 0 });

export const command = defineCommand({
  usage: "[OPTIONS] NAME VOLUME DIR",
  summary: "Back up a volume again and again",
  detail:
    "The daemon does it, the first time at once; what was due while it did not run is done at its next start. Each --keep rule keeps the newest backup of as many periods as it says; without any all are kept.",
  examples: [
    [
      "volume schedule --every 24h --keep-daily 7 --keep-weekly 4 nightly db /srv/backups",
      "A week of days, a month of weeks",
    ],
  ],
  flags: {
    every: value<number>("duration", "Time between two backups (90m, 24h)", 0, (text) => durationNanos(text) / 1e6),
    "keep-last": keep("the newest ones"),
    "keep-daily": keep("one of each day"),
    "keep-weekly": keep("one of each week"),
    "keep-monthly": keep("one of each month"),
    pause: toggle("Pause the containers that have the volume meanwhile"),
    recipient: list("Encrypt for a public key of age (age1…)", { short: "r" }),
  },
  min: 3,
  max: 3,
  async run({ context, flags, args: [name = "", volume = "", target = ""] }) {
    if (flags.every <= 0)
      throw new HavreError("invalid-argument", "A schedule needs --every", { hint: "For example --every 24h" });
    const rules = {
      last: flags["keep-last"],
      daily: flags["keep-daily"],
      weekly: flags["keep-weekly"],
      monthly: flags["keep-monthly"],
    };
    const client = await context.client();
    await client.run("POST", "/havre/v1/volume-schedules", {
      json: {
        name,
        volume,
        target: daemonPath(target),
        every: Math.round(flags.every),
        pause: flags.pause,
        recipients: flags.recipient,
        keep: Object.fromEntries(Object.entries(rules).filter(([, count]) => count > 0)),
      },
    });
    context.out.line(name);
    return 0;
  },
});
