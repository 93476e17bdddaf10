import { isHavreError } from "../../../base/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Remove one or more images",
  examples: [
    ["rmi debian:11", "Take the name away, and the image if that was its last"],
    ["rmi --keep 72h shop:7", "For three days it can come back: havre image rollback shop:7"],
    ["rmi -f 4e5021d210f6", "With all its names"],
  ],
  flags: {
    keep: text(
      "How long it can come back by 'havre image rollback' (72h, 30d, 0); default its label havre.image.keep, else the daemon's --image-retention",
    ),
    force: toggle("Force removal of the image", { short: "f" }),
    "no-prune": toggle("Do not delete untagged parents"),
  },
  min: 1,
  async run({ context, flags, args }) {
    const client = await context.client();
    let code = 0;
    for (const name of args) {
      try {
        const removed = await client.json<{ Untagged?: string; Deleted?: string }[]>("DELETE", `/images/${name}`, {
          query: { force: flags.force || undefined, noprune: flags["no-prune"] || undefined, keep: flags.keep },
        });
        for (const { Untagged, Deleted } of removed)
          context.out.line(Deleted === undefined ? `Untagged: ${Untagged}` : `Deleted: ${Deleted}`);
      } catch (error) {
        if (!isHavreError(error)) throw error;
        context.err.line(error.message);
        if (error.hint !== undefined) context.err.line(error.hint);
        if (!(flags.force && error.kind === "not-found")) code = 1;
      }
    }
    return code;
  },
});
