import { jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson } from "../../output/format.ts";

interface FindingAnswer {
  readonly check: string;
  readonly kept: boolean;
  readonly detail: string;
}

export const command = defineCommand({
  usage: "[OPTIONS] NAME[:VERSION]",
  summary: "Check that an image is what its entry promises",
  examples: [["catalogue verify nginx", "Exit code 1 when something is not kept"]],
  flags: { json: jsonFlag },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const findings = await client.json<FindingAnswer[]>("GET", "/havre/v1/catalogue/verify", { query: { name } });
    if (flags.json) printJson(context.out, findings);
    else {
      for (const { check, kept, detail } of findings)
        context.out.line(`${kept ? "ok  " : "FAIL"}  ${check}${detail === "" ? "" : `: ${detail}`}`);
    }
    return findings.every(({ kept }) => kept) ? 0 : 1;
  },
});
