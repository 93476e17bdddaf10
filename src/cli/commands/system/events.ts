import { readLines } from "../../../client/mod.ts";
import { filterFlag, filtersQuery, jsonFlag } from "../../args/common.ts";
import { text } from "../../args/flags.ts";
import { timeQuery } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { executeTemplate, parseTemplate } from "../../output/template-list.ts";
import { localRfc3339 } from "../../output/units.ts";

/** One line of `GET /events`. */
interface EventMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> | null };
  readonly time: number;
}

export const command = defineCommand({
  usage: "[OPTIONS]",
  summary: "Get real time events from the server",
  examples: [
    ["events --filter type=container --filter event=die", "Containers that end"],
    ["events --since 1h --until 0s", "The last hour"],
  ],
  flags: {
    filter: filterFlag(),
    format: text("Format output using a Go template, or 'json'"),
    json: jsonFlag,
    since: text("Show all events created since timestamp"),
    until: text("Stream events until this timestamp"),
  },
  min: 0,
  max: 0,
  async run({ context, flags }) {
    const asJson = flags.json || flags.format === "json";
    const template = flags.format === "" || asJson ? undefined : parseTemplate(flags.format);
    const client = await context.client();
    const answer = await client.request("GET", "/events", {
      query: {
        since: timeQuery("since", flags.since),
        until: timeQuery("until", flags.until),
        filters: filtersQuery(flags.filter),
      },
    });
    for await (const line of readLines(answer.body)) {
      if (line.trim() === "") continue;
      const event = JSON.parse(line) as EventMessage;
      const text = template ? executeTemplate(template, event, "events.Message") : describe(event, line);
      context.out.line(asJson ? line : text);
    }
    return 0;
  },
});

function describe({ Type, Action, Actor, time }: EventMessage, line: string): string {
  // Nanoseconds since the epoch are more than a double holds: they are read from the text.
  const fraction = /"timeNano":\d*(\d{9})\b/.exec(line)?.[1] ?? "000000000";
  const when = localRfc3339(time).replace(/(Z|[+-]\d{2}:\d{2})$/, `.${fraction}$1`);
  const attributes = Object.entries(Actor.Attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  const details = attributes.map(([name, value]) => `${name}=${value}`).join(", ");
  return `${when} ${Type} ${Action} ${Actor.ID}${details === "" ? "" : ` (${details})`}`;
}
