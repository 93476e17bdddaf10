import { planChange } from "../../../compose/mod.ts";
import { defineCommand } from "../../command.ts";
import { act } from "./act.ts";
import { projectFlags } from "./flags.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Pause a project's containers",
  examples: [["compose pause", "Freeze all"]],
  flags: { ...projectFlags },
  min: 0,
  run: ({ context, flags, args }) =>
    act(context, flags, {
      services: args,
      plan: (chosen) =>
        planChange(
          chosen.filter(({ state }) => state === "running"),
          "pause",
        ),
    }),
});
