import { filterFlag, filtersQuery, formatFlag, jsonFlag, noTruncFlag, quietFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import type { ImageSummary } from "../../types.ts";
import { imageHeadings, imageNames, imageRow } from "./view.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [REPOSITORY[:TAG]]",
  summary: "List images",
  examples: [
    ["images", "All that have a name"],
    ["images --filter dangling=true -q", "Ids of those that have none any more"],
    ["images 'debian:*'", "Tags of one repository"],
  ],
  flags: {
    all: toggle("Show all images (default hides intermediate images)", { short: "a" }),
    digests: toggle("Show digests"),
    filter: filterFlag(),
    format: formatFlag,
    json: jsonFlag,
    "no-trunc": noTruncFlag,
    quiet: quietFlag("Only show image IDs"),
  },
  min: 0,
  max: 1,
  async run({ context, flags, args: [pattern] }) {
    const client = await context.client();
    const filters = pattern === undefined ? flags.filter : { ...flags.filter, reference: [pattern] };
    const images = await client.json<ImageSummary[]>("GET", "/images/json", {
      query: { all: flags.all || undefined, filters: filtersQuery(filters) },
    });
    if (flags.json) {
      printJson(context.out, images);
      return 0;
    }
    const format = imageFormat(flags.format, flags.quiet, flags.digests);
    const digests = flags.digests || format.includes("{{.Digest}}");
    await printList(context.out, {
      rows: images.flatMap((image) =>
        imageNames(image, { digests, perDigest: flags.digests }).map((name) =>
          imageRow(image, name, !flags["no-trunc"]),
        ),
      ),
      headings: imageHeadings,
      typeName: "*formatter.imageContext",
      format,
      fit: flags.format === "" && !flags["no-trunc"],
    });
    return 0;
  },
});

const RAW_HEAD = "repository: {{ .Repository }}\ntag: {{.Tag}}\n";
const RAW_TAIL = "image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

function imageFormat(format: string, quiet: boolean, digest: boolean): string {
  if (format === "" || format === "table") {
    if (quiet) return "{{.ID}}";
    const digestColumn = digest ? "{{.Digest}}\t" : "";
    return `table {{.Repository}}\t{{.Tag}}\t${digestColumn}{{.ID}}\t{{.CreatedSince}}\t{{.Size}}`;
  }
  if (format === "raw")
    return quiet ? "image_id: {{.ID}}" : RAW_HEAD + (digest ? "digest: {{.Digest}}\n" : "") + RAW_TAIL;
  return format.startsWith("table") && digest && !format.includes("{{.Digest}}") ? `${format}\t{{.Digest}}` : format;
}
