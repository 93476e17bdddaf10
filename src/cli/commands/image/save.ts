import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { checkArchiveTarget, writeArchive } from "../../streams/file-sink.ts";

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  summary: "Save one or more images to a tar archive (streamed to STDOUT by default)",
  examples: [
    ["save -o app.tar app:1.2 db:9", "Several in one file"],
    ["save app:1.2 | zstd > app.tar.zst", "Through a pipe"],
  ],
  flags: { output: text("Write to a file, instead of STDOUT", { short: "o" }) },
  min: 1,
  async run({ context, flags, args }) {
    checkArchiveTarget(flags.output, context.out);
    const client = await context.client();
    const answer = await client.request("GET", "/images/get", { query: { names: args } });
    await writeArchive(answer.body, flags.output, context.out);
    return 0;
  },
});
