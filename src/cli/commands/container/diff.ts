import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";

const KINDS = ["C", "A", "D"];

export const command = defineCommand({
  usage: "CONTAINER | A B",
  summary:
    "Inspect changes to files or directories on a container's filesystem, or between any two images and containers",
  examples: [
    ["diff web", "What it changed in its image's files (A added, C changed, D deleted)"],
    ["diff app:1.1 app:1.2", "What is different between two images: files, configuration, packages"],
  ],
  flags: { json: jsonFlag },
  min: 1,
  max: 2,
  async run({ context, flags, args: [name = "", other] }) {
    const client = await context.client();
    if (other !== undefined) {
      const { printDifference } = await import("./difference.ts");
      return printDifference(context, client, name, other, flags.json);
    }
    const changes =
      (await client.json<{ Path: string; Kind: number }[] | null>("GET", `/containers/${name}/changes`)) ?? [];
    if (flags.json) printJson(context.out, changes);
    else context.out.write(changes.map(({ Kind, Path }) => `${KINDS[Kind] ?? "?"} ${Path}\n`).join(""));
    return 0;
  },
});
