import { familiarName } from "../../../spec/mod.ts";
import { defineCommand } from "../../command.ts";
import { parseTarget } from "./reference.ts";

export const command = defineCommand({
  usage: "SOURCE_IMAGE[:TAG] TARGET_IMAGE[:TAG]",
  summary: "Create a tag TARGET_IMAGE that refers to SOURCE_IMAGE",
  examples: [["tag app:build app:1.2", "A second name"]],
  flags: {},
  min: 2,
  max: 2,
  async run({ context, args: [source = "", target = ""] }) {
    const reference = parseTarget(target);
    const client = await context.client();
    await client.run("POST", `/images/${source}/tag`, {
      query: { repo: familiarName(reference), tag: reference.tag ?? "latest" },
    });
    return 0;
  },
});
