import { planChange } from "../../../compose/mod.ts";
import { defineCommand } from "../../command.ts";
import { act } from "./act.ts";
import { projectFlags } from "./flags.ts";

/** `pause`, and `unpause`, which undoes it. */
const both = (change: "pause" | "unpause", summary: string, example: string) =>
  defineCommand({
    usage: "[OPTIONS] [SERVICE...]",
    summary,
    examples: [[`compose ${change}`, example]],
    flags: { ...projectFlags },
    min: 0,
    run: ({ context, flags, args }) => {
      const from = change === "pause" ? "running" : "paused";
      const plan = (chosen: Parameters<typeof planChange>[0]) =>
        planChange(
          chosen.filter(({ state }) => state === from),
          change,
        );
      return act(context, flags, { services: args, plan });
    },
  });

export const command = both("pause", "Pause a project's containers", "Freeze all");
export const unpause = both("unpause", "Unpause a project's containers", "Let all go on");
