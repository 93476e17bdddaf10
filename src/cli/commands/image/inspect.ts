import { defineCommand } from "../../command.ts";
import { imageLookup, inspectAll, inspectFlags } from "../inspect.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Display detailed information on one or more images",
  examples: [["image inspect --format '{{json .Config.Env}}' debian:12", "One field, as JSON"]],
  flags: inspectFlags,
  min: 1,
  run: ({ context, flags, args }) => inspectAll(context, args, flags.format, imageLookup),
});
