import { defineCommand } from "../../command.ts";
import { inspectAll, inspectFlags, volumeLookup } from "../inspect.ts";

export const command = defineCommand({
  usage: "[OPTIONS] VOLUME [VOLUME...]",
  summary: "Display detailed information on one or more volumes",
  examples: [["volume inspect --format '{{.Mountpoint}}' data", "Where it is on this host"]],
  flags: inspectFlags,
  min: 1,
  run: ({ context, flags, args }) => inspectAll(context, args, flags.format, volumeLookup),
});
