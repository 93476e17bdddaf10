import { integer, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:TAG]",
  summary: "Point a name to what it pointed to before",
  detail: "Nothing is forgotten: a rollback is one more step in the name's history, and can be undone with --to.",
  examples: [
    ["image rollback app", "To the image before this one"],
    ["image rollback --to 4e5021d210f6 app:latest", "To one it once pointed to (see: havre image log --tag app)"],
  ],
  flags: {
    steps: integer("How many changes of the name to go back", { short: "n", initial: 1, defaultText: "1", min: 1 }),
    to: text("Id of an image the name once pointed to, or its beginning"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const target = flags.to === "" ? { steps: flags.steps } : { digest: flags.to };
    const { id } = await client.json<{ id: string }>("POST", "/havre/v1/rollback", { query: { name, ...target } });
    context.out.line(id);
    return 0;
  },
});
