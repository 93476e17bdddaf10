import { HavreError } from "../../../base/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";
import { askRegistry, rootFlag } from "./owner.ts";

type Line =
  | { readonly repository: string; readonly name: string; readonly keep: boolean; readonly why: string }
  | { readonly done: { readonly kept: number; readonly removed: number; readonly dryRun: boolean } };

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Apply a registry's retention rules",
  detail: `Removes tags that the rules of its settings (repositories: retain:) no longer keep, and manifests that nothing
leads to. havre registry gc frees their space afterwards.`,
  examples: [
    ["registry retain --dry-run --all", "What would become of each tag, and why"],
    ["registry retain", "Now, instead of with the next housekeeping"],
  ],
  flags: {
    all: toggle("Show what stays too"),
    "dry-run": toggle("Only tell what would go"),
    json: jsonFlag,
    root: rootFlag,
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const dryRun = flags["dry-run"];
    const lines: Extract<Line, { keep: boolean }>[] = [];
    let done: Extract<Line, { done: object }>["done"] | undefined;
    for await (const line of askRegistry<Line>(context, flags.root, "retain", { "dry-run": String(dryRun) })) {
      if ("done" in line) done = line.done;
      else if (flags.json) lines.push(line);
      else if (flags.all || !line.keep) {
        const verb = line.keep ? "stays" : dryRun ? "would go" : "goes";
        context.out.line(`${line.repository}${line.name.includes(":") ? "@" : ":"}${line.name} ${verb}: ${line.why}`);
      }
    }
    if (!done) throw new HavreError("unavailable", "The registry ended before it was done", { hint: "Run it again" });
    if (flags.json) printJson(context.out, lines);
    else context.out.line(`${done.removed} ${dryRun ? "would go" : "went"}, ${done.kept} stay`);
    return 0;
  },
});
