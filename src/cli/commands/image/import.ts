import { HavreError } from "../../../base/mod.ts";
import { list, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { fileChunks, stdinChunks } from "../../streams/input.ts";
import { showProgress } from "./progress.ts";

export const command = defineCommand({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  summary: "Import the contents from a tarball to create a filesystem image",
  examples: [
    ["import rootfs.tar debian:12", "A root file system made by another tool"],
    ["import --change 'CMD [\"/bin/sh\"]' - tiny", "From standard input, with a default command"],
  ],
  flags: {
    change: list("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: text("Set commit message for imported image", { short: "m" }),
    platform: text("Set platform if server is multi-platform capable"),
  },
  min: 1,
  max: 2,
  async run({ context, flags, args: [source = "", reference = ""] }) {
    const isUrl = /^(https?|ftp):\/\//.test(source);
    const body = isUrl ? undefined : source === "-" ? stdinChunks() : fileChunks(source);
    if (source === "") throw new HavreError("invalid-argument", "No source given: a file, a URL or -");
    const client = await context.client();
    const answer = await client.request("POST", "/images/create", {
      query: {
        fromSrc: isUrl ? source : "-",
        repo: reference || undefined,
        message: flags.message || undefined,
        platform: flags.platform || undefined,
        changes: flags.change,
      },
      contentType: "text/plain",
      ...(body === undefined ? {} : { body }),
    });
    await showProgress(answer.body, context.out);
    return 0;
  },
});
