import { quietFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { SILENT } from "../../output/output.ts";
import { showProgress } from "../image/progress.ts";
import type { CatalogueAnswer } from "./types.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [NAME[:VERSION]...]",
  summary: "Make images of the catalogue from Debian packages",
  detail:
    "What is made of the present entries already is left as it is. An image that is run, or stood on, is made by itself.",
  examples: [
    ["catalogue build nginx", "With the base it stands on"],
    ["catalogue build --all", "Every image of the catalogue"],
  ],
  flags: {
    all: toggle("Every entry", { short: "a" }),
    force: toggle("Make it again, with the packages that there are now", { short: "f" }),
    quiet: quietFlag("Only print what was made"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const client = await context.client();
    const names = flags.all
      ? (await client.json<CatalogueAnswer[]>("GET", "/havre/v1/catalogue")).map(
          ({ name, version }) => `${name}:${version}`,
        )
      : args;
    if (names.length === 0) {
      context.err.line("Name what is to be made, or give --all; havre catalogue list shows what there is.");
      return 1;
    }
    for (const name of names) {
      const answer = await client.request("POST", "/havre/v1/catalogue/build", {
        query: { name, force: flags.force || undefined },
      });
      await showProgress(answer.body, flags.quiet ? SILENT : context.out, (aux) => {
        if (flags.quiet) context.out.line((aux as { readonly Reference?: string }).Reference ?? name);
      });
    }
    return 0;
  },
});
