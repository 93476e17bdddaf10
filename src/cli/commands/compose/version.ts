import { VERSION } from "../../../base/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the Compose version information",
  examples: [["compose version --short", "The number alone"]],
  flags: { format: text("pretty or json", { short: "f" }), short: toggle("Shows only Compose's version number") },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    if (flags.format === "json") context.out.line(JSON.stringify({ version: VERSION }));
    else context.out.line(flags.short ? VERSION : `Havre Compose version ${VERSION}`);
    return 0;
  },
});
