import { filterFlag, filtersQuery, formatFlag, jsonFlag, noTruncFlag } from "../../args/common.ts";
import { integer } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { registryAuthHeader } from "../../credentials/sign-ins.ts";
import { printJson, printList } from "../../output/format.ts";

interface SearchAnswer {
  readonly name: string;
  readonly description: string;
  readonly star_count: number;
  readonly is_official: boolean;
}

const DESCRIPTION_WIDTH = 45;
const headings = { Name: "NAME", Description: "DESCRIPTION", StarCount: "STARS", IsOfficial: "OFFICIAL" };

export const command = defineCommand({
  usage: "[OPTIONS] TERM",
  summary: "Search Docker Hub for images",
  examples: [["search --filter is-official=true nginx", "Images that Docker itself keeps"]],
  flags: {
    filter: filterFlag(),
    format: formatFlag,
    json: jsonFlag,
    limit: integer("Max number of search results"),
    "no-trunc": noTruncFlag,
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [term = ""] }) {
    const client = await context.client();
    const found = await client.json<SearchAnswer[]>("GET", "/images/search", {
      query: { term, limit: flags.limit || undefined, filters: filtersQuery(flags.filter) },
      headers: await registryAuthHeader(context.env, "docker.io"),
    });
    if (flags.json) {
      printJson(context.out, found);
      return 0;
    }
    await printList(context.out, {
      rows: found.map(({ name, description, star_count, is_official }) => ({
        Name: () => name,
        Description: () => shortened(description.replaceAll(/[\r\n]/g, " "), flags["no-trunc"]),
        StarCount: () => String(star_count),
        IsOfficial: () => (is_official ? "[OK]" : ""),
      })),
      headings,
      typeName: "*formatter.searchContext",
      format: flags.format || "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
      fit: flags.format === "",
    });
    return 0;
  },
});

function shortened(text: string, whole: boolean): string {
  return whole || text.length <= DESCRIPTION_WIDTH ? text : `${text.slice(0, DESCRIPTION_WIDTH - 1)}…`;
}
