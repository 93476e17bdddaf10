import { isRunning, planChange } from "../../../compose/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { act } from "./act.ts";
import { projectFlags } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Force stop a project's containers",
  examples: [["compose kill -s HUP web", "A signal to one service"]],
  flags: {
    ...projectFlags,
    "remove-orphans": toggle("Accepted, and of no effect", { hidden: true }),
    signal: text("SIGNAL to send to the container", { short: "s", initial: "SIGKILL", defaultText: '"SIGKILL"' }),
  },
  min: 0,
  run: ({ context, flags, args }) =>
    act(context, flags, {
      services: args,
      plan: (chosen) => planChange(chosen.filter(isRunning), "kill", flags.signal),
    }),
});
