import { planChange } from "../../../compose/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { act } from "./act.ts";
import { projectFlags, timeoutFlag } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Restart a project's containers",
  examples: [["compose restart web", "One service"]],
  flags: { ...projectFlags, "no-deps": toggle("Accepted: others are not restarted"), timeout: timeoutFlag },
  min: 0,
  run: ({ context, flags, args }) =>
    act(context, flags, { services: args, timeout: flags.timeout, plan: (chosen) => planChange(chosen, "restart") }),
});
