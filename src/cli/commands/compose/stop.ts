import { planStop } from "../../../compose/mod.ts";
import { defineCommand } from "../../command.ts";
import { act } from "./act.ts";
import { projectFlags, timeoutFlag } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Stop a project's containers",
  examples: [["compose stop -t 5 web", "One service, killed after five seconds"]],
  flags: { ...projectFlags, timeout: timeoutFlag },
  min: 0,
  run: ({ context, flags, args }) => act(context, flags, { services: args, timeout: flags.timeout, plan: planStop }),
});
