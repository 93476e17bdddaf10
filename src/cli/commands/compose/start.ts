import { planStart } from "../../../compose/mod.ts";
import { defineCommand } from "../../command.ts";
import { act } from "./act.ts";
import { projectFlags } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Start a project's containers",
  examples: [["compose start", "Those that do not run, in order"]],
  flags: { ...projectFlags },
  min: 0,
  run: ({ context, flags, args }) =>
    act(context, flags, { services: args, plan: planStart, nothing: "Nothing to start" }),
});
