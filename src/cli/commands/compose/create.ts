import { defineCommand } from "../../command.ts";
import { callCommand } from "./call.ts";
import { command as up } from "./up.ts";
import { creationFlags } from "./up-flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Create a project's containers, and start none",
  examples: [["compose create --build", "With its images made again"]],
  flags: creationFlags,
  min: 0,
  run: ({ context, flags, args }) => callCommand(up, context, args, { ...flags, "no-start": true }),
});
