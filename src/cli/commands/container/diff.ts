import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";

const KINDS = ["C", "A", "D"];

export const command = defineCommand({
  usage: "CONTAINER",
  summary: "Inspect changes to files or directories on a container's filesystem",
  examples: [["diff web", "What it changed in its image's files (A added, C changed, D deleted)"]],
  flags: { json: jsonFlag },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const changes =
      (await client.json<{ Path: string; Kind: number }[] | null>("GET", `/containers/${name}/changes`)) ?? [];
    if (flags.json) printJson(context.out, changes);
    else context.out.write(changes.map(({ Kind, Path }) => `${KINDS[Kind] ?? "?"} ${Path}\n`).join(""));
    return 0;
  },
});
