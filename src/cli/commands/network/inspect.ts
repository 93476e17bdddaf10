import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { inspectAll, inspectFlags, networkLookup } from "../inspect.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NETWORK [NETWORK...]",
  summary: "Display detailed information on one or more networks",
  examples: [
    ["network inspect app", "Everything, with the containers on it"],
    ["network inspect -f '{{range .Containers}}{{.Name}} {{.IPv4Address}} {{end}}' app", "Who has which address"],
  ],
  flags: { ...inspectFlags, verbose: toggle("Verbose output for diagnostics", { short: "v" }) },
  min: 1,
  run: ({ context, flags, args }) => inspectAll(context, args, flags.format, networkLookup),
});
