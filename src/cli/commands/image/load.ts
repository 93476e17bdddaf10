import { HavreError } from "../../../base/mod.ts";
import { quietFlag } from "../../args/common.ts";
import { text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { isTerminal } from "../../output/output.ts";
import { fileChunks, stdinChunks } from "../../streams/input.ts";
import { showProgress } from "./progress.ts";

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Load an image from a tar archive or STDIN",
  examples: [
    ["load -i images.tar", "A file that havre save, docker save or skopeo wrote"],
    ["load < images.tar.gz", "Compressed, from standard input"],
  ],
  flags: {
    input: text("Read from tar archive file, instead of STDIN", { short: "i" }),
    quiet: quietFlag("Suppress the load output"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    if (flags.input === "" && isTerminal(0))
      throw new HavreError("invalid-argument", "requested load from stdin, but stdin is empty");
    const body = flags.input === "" ? stdinChunks() : await openedFile(flags.input);
    const client = await context.client();
    const quiet = flags.quiet || !context.out.isTerminal;
    const answer = await client.request("POST", "/images/load", { query: { quiet }, body });
    await showProgress(answer.body, context.out);
    return 0;
  },
});

/** The file, opened before the daemon is asked: a missing one is found at once. */
async function openedFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const { statSync } = await import("node:fs");
  if (!statSync(path, { throwIfNoEntry: false }))
    throw new HavreError("not-found", `open ${path}: no such file or directory`);
  return fileChunks(path);
}
