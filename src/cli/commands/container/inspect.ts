import { defineCommand } from "../../command.ts";
import { containerLookup, inspectAll, inspectFlags, sizeFlag } from "../inspect.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Display detailed information on one or more containers",
  examples: [["container inspect --format '{{.State.Status}}' web", "One field"]],
  flags: { ...inspectFlags, size: { ...sizeFlag, help: "Display total file sizes" } },
  min: 1,
  run: ({ context, flags, args }) => inspectAll(context, args, flags.format, containerLookup(flags.size)),
});
