import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { checkArchiveTarget, writeArchive } from "../../streams/file-sink.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Export a container's filesystem as a tar archive",
  examples: [["export -o rootfs.tar web", "Its files, without history"]],
  flags: { output: text("Write to a file, instead of STDOUT", { short: "o" }) },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    checkArchiveTarget(flags.output, context.out);
    const client = await context.client();
    const answer = await client.request("GET", `/containers/${name}/export`);
    await writeArchive(answer.body, flags.output, context.out);
    return 0;
  },
});
