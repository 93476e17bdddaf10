import { readJsonLines } from "../../../client/mod.ts";
import { LABEL } from "../../../compose/mod.ts";
import { jsonFlag } from "../../args/common.ts";
import { text } from "../../args/flags.ts";
import { timeQuery } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";

interface EventMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> | null };
  readonly timeNano: number;
}

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Receive real time events from a project's containers",
  examples: [["compose events --json web", "Of one service, for programs"]],
  flags: {
    ...projectFlags,
    json: jsonFlag,
    since: text("Show all events created since timestamp"),
    until: text("Stream events until this timestamp"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const { name } = await knownProject(context, flags);
    const client = await context.client();
    const filters = JSON.stringify({ type: ["container"], label: [`${LABEL.project}=${name}`] });
    const answer = await client.request("GET", "/events", {
      query: { filters, since: timeQuery("since", flags.since), until: timeQuery("until", flags.until) },
    });
    for await (const { Type, Action, Actor, timeNano } of readJsonLines<EventMessage>(answer.body)) {
      const attributes = Object.entries(Actor.Attributes ?? {});
      const service = Actor.Attributes?.[LABEL.service] ?? "";
      if (args.length > 0 && !args.includes(service)) continue;
      const own = Object.fromEntries(attributes.filter(([key]) => !key.startsWith("com.docker.compose.")));
      const time = new Date(timeNano / 1e6).toISOString();
      if (flags.json)
        context.out.line(JSON.stringify({ time, type: Type, service, id: Actor.ID, action: Action, attributes: own }));
      else {
        const shown = Object.entries(own).map(([key, value]) => `${key}=${value}`);
        context.out.line(`${time} ${Type} ${Action} ${Actor.ID} (${shown.join(", ")})`);
      }
    }
    return 0;
  },
});
