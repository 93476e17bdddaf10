import { formatFlag, jsonFlag } from "../../args/common.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import { humanSize } from "../../output/units.ts";
import type { CatalogueAnswer } from "./types.ts";

const headings = {
  Name: "IMAGE",
  State: "STATE",
  Size: "SIZE",
  Revision: "REVISION",
  Owner: "OWNER",
  Summary: "WHAT IT IS",
};

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "List the images of the catalogue",
  examples: [["catalogue list", "What there is, and what of it is on this machine"]],
  flags: { format: formatFlag, json: jsonFlag },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const client = await context.client();
    const items = await client.json<CatalogueAnswer[]>("GET", "/havre/v1/catalogue");
    if (flags.json) {
      printJson(context.out, items);
      return 0;
    }
    await printList(context.out, {
      rows: items.map(({ reference, state, size, revision, owner, summary }) => ({
        Name: () => reference,
        State: () => state,
        Size: () => (size === undefined ? "" : humanSize(size)),
        Revision: () => revision,
        Owner: () => owner,
        Summary: () => summary,
      })),
      headings,
      typeName: "*formatter.catalogueContext",
      format: flags.format || "table {{.Name}}\t{{.State}}\t{{.Size}}\t{{.Revision}}\t{{.Summary}}",
      fit: flags.format === "",
    });
    return 0;
  },
});
