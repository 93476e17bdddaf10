import { HavreError } from "../../../base/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { copyIn } from "./copy/copy-in.ts";
import { copyOut } from "./copy/copy-out.ts";
import { splitArgument } from "./copy/paths.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n        havre cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  summary: "Copy files/folders between a container and the local filesystem",
  detail: `Use '-' as the source to read a tar archive from stdin and extract it to a directory destination in a
container. Use '-' as the destination to stream a tar archive of a container source to stdout.
A source that ends in '/.' is the content of the folder.`,
  examples: [
    ["cp web:/var/log/nginx logs", "A folder out of a container"],
    ["cp site/. web:/srv/www", "The content of a folder into one"],
    ["cp web:/etc - | tar -t", "As an archive"],
  ],
  flags: {
    archive: toggle("Archive mode (copy all uid/gid information)", { short: "a" }),
    "follow-link": toggle("Always follow symbol link in SRC_PATH", { short: "L" }),
    quiet: toggle(
      "Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached",
      { short: "q" },
    ),
  },
  min: 2,
  max: 2,
  async run({ context, flags, changed, args: [from = "", to = ""] }) {
    if (from === "") throw new HavreError("invalid-argument", "source can not be empty");
    if (to === "") throw new HavreError("invalid-argument", "destination can not be empty");
    const [source, destination] = [splitArgument(from), splitArgument(to)];
    const quiet = changed.has("quiet") ? flags.quiet : !context.out.isTerminal;
    const options = { archive: flags.archive, follow: flags["follow-link"], quiet };
    if (source.container && destination.container)
      throw new HavreError("invalid-argument", "copying between containers is not supported");
    if (source.container) return copyOut(context, source.container, source.path, destination.path, options);
    if (destination.container) return copyIn(context, source.path, destination.container, destination.path, options);
    throw new HavreError("invalid-argument", "must specify at least one container source");
  },
});
