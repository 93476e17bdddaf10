import { shortId } from "../../../base/mod.ts";
import { formatFlag, jsonFlag, noTruncFlag, quietFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import { ago, humanSize, localRfc3339 } from "../../output/units.ts";
import { ellipsis } from "../../output/width.ts";
import type { Row } from "../../template/mod.ts";

/** `GET /images/{name}/history`. */
interface HistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment: string;
}

const headings = {
  ID: "IMAGE",
  CreatedSince: "CREATED",
  CreatedAt: "CREATED AT",
  CreatedBy: "CREATED BY",
  Size: "SIZE",
  Comment: "COMMENT",
};
const CREATED_BY_WIDTH = 45;
/** Reproducible builds date their layers before this: no age would mean anything. */
const YEAR_2000 = 946_684_800;

export const command = defineCommand({
  usage: "[OPTIONS] IMAGE",
  summary: "Show the history of an image",
  examples: [["history debian:12", "How its layers came about"]],
  flags: {
    format: formatFlag,
    human: toggle("Print sizes and dates in human readable format", { short: "H", initial: true, defaultText: "true" }),
    json: jsonFlag,
    "no-trunc": noTruncFlag,
    quiet: quietFlag("Only show image IDs"),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [name = ""] }) {
    const client = await context.client();
    const items = await client.json<HistoryItem[]>("GET", `/images/${name}/history`);
    if (flags.json) {
      printJson(context.out, items);
      return 0;
    }
    const isDefault = flags.format === "" || flags.format === "table";
    const created = flags.human ? "{{.CreatedSince}}" : "{{.CreatedAt}}";
    const table = `table {{.ID}}\t${created}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}`;
    await printList(context.out, {
      rows: items.map((item) => historyRow(item, flags.human, !flags["no-trunc"])),
      headings,
      typeName: "*image.historyContext",
      format: isDefault ? (flags.quiet ? "{{.ID}}" : table) : flags.format,
      fit: isDefault && !flags["no-trunc"],
    });
    return 0;
  },
});

function historyRow(item: HistoryItem, human: boolean, trunc: boolean): Row {
  const createdBy = item.CreatedBy.replaceAll("\t", " ");
  const createdAt = () => localRfc3339(item.Created);
  return {
    Comment: () => item.Comment,
    CreatedAt: createdAt,
    CreatedBy: () => (trunc ? ellipsis(createdBy, CREATED_BY_WIDTH) : createdBy),
    CreatedSince: () => (!human ? createdAt() : item.Created <= YEAR_2000 ? "N/A" : ago(item.Created)),
    ID: () => (trunc ? shortId(item.Id) : item.Id),
    Size: () => (human ? humanSize(item.Size, 3) : String(item.Size)),
  };
}
