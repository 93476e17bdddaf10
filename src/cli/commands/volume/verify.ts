import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import { daemonPath } from "./backup-view.ts";
import { openerFields, openerFlags } from "./keys.ts";

interface VerifiedView {
  readonly id: string;
  readonly volume: string;
  readonly size: number;
  readonly problem?: string;
}

export const command = defineCommand({
  usage: "[OPTIONS] FILE|DIR",
  summary: "Read backups to the end and check them",
  examples: [["volume verify /srv/backups", "Every byte of every backup in it"]],
  flags: { ...openerFlags, json: jsonFlag },
  min: 1,
  max: 1,
  async run({ context, flags, args: [source = ""] }) {
    const client = await context.client();
    const json = { source: daemonPath(source), ...openerFields(flags) };
    const verified = await client.json<VerifiedView[]>("POST", "/havre/v1/volumes/verify", { json });
    if (flags.json) printJson(context.out, verified);
    else
      for (const { id, size, problem } of verified)
        context.out.line(problem === undefined ? `${id}: whole, ${humanSize(size)}` : `${id}: ${problem}`);
    return verified.every(({ problem }) => problem === undefined) ? 0 : 1;
  },
});
