import { familiarName, parseReference } from "../../../spec/mod.ts";
import { list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
  summary: "Create a new image from a container's changes",
  examples: [["commit -m 'add tools' -c 'CMD [\"bash\"]' sh tools:1", "With a new default command"]],
  flags: {
    author: text('Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")', { short: "a" }),
    change: list("Apply Dockerfile instruction to the created image", { short: "c" }),
    message: text("Commit message", { short: "m" }),
    pause: toggle("Pause container during commit", { short: "p", initial: true, defaultText: "true" }),
  },
  min: 1,
  max: 2,
  async run({ context, flags, args: [container = "", target] }) {
    const reference = target === undefined ? undefined : parseReference(target);
    const client = await context.client();
    const { Id } = await client.json<{ Id: string }>("POST", "/commit", {
      query: {
        container,
        repo: reference && familiarName(reference),
        tag: reference && (reference.tag ?? "latest"),
        comment: flags.message || undefined,
        author: flags.author || undefined,
        changes: flags.change,
        pause: flags.pause ? undefined : false,
      },
    });
    context.out.line(Id);
    return 0;
  },
});
