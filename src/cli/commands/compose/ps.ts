import { HavreError } from "../../../base/mod.ts";
import { LABEL } from "../../../compose/mod.ts";
import { filterFlag, formatFlag, jsonFlag, noTruncFlag, quietFlag } from "../../args/common.ts";
import { list, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { printJson, printList } from "../../output/format.ts";
import type { Row } from "../../template/mod.ts";
import type { ContainerSummary } from "../../types.ts";
import { containerHeadings, containerRow } from "../container/view.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";

const TABLE = "table {{.Name}}\t{{.Image}}\t{{.Command}}\t{{.Service}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}";
const STATES = ["paused", "restarting", "removing", "running", "dead", "created", "exited"];

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "List a project's containers",
  examples: [
    ["compose ps", "Those that run"],
    ["compose ps -a --json", "All of them, for programs"],
  ],
  flags: {
    ...projectFlags,
    all: toggle("Show all stopped containers (including those created by the run command)", { short: "a" }),
    filter: filterFlag("Filter services by a property (supported filters: status, source)"),
    format: formatFlag,
    json: jsonFlag,
    "no-trunc": noTruncFlag,
    orphans: toggle("Include orphaned services (not declared by project)", { initial: true }),
    quiet: quietFlag("Only display IDs"),
    services: toggle("Display services"),
    status: list(`Filter services by status. Values: ${STATES.join(" | ")}`),
  },
  min: 0,
  async run({ context, flags, args }) {
    const { name, project } = await knownProject(context, flags);
    const status = [...flags.status, ...(flags.filter.status ?? [])];
    const wrong = status.find((one) => !STATES.includes(one));
    if (wrong !== undefined) throw new HavreError("invalid-argument", `unknown status ${JSON.stringify(wrong)}`);
    const client = await context.client();
    const filters = JSON.stringify({ label: [`${LABEL.project}=${name}`] });
    const found = await client.json<ContainerSummary[]>("GET", "/containers/json", {
      query: { all: flags.all || status.length > 0 || undefined, filters },
    });
    const label = (container: ContainerSummary, key: string) => container.Labels?.[key] ?? "";
    const isKnown = (service: string) => !project || service in project.services || service in project.inactive;
    const shown = found
      .filter((container) => args.length === 0 || args.includes(label(container, LABEL.service)))
      .filter((container) => flags.orphans || isKnown(label(container, LABEL.service)))
      .filter((container) => flags.all || label(container, LABEL.oneOff) !== "True")
      .filter(({ State }) => status.length === 0 || status.includes(State))
      .sort((a, b) => ((a.Names?.[0] ?? "") < (b.Names?.[0] ?? "") ? -1 : 1));
    if (flags.quiet) for (const { Id } of shown) context.out.line(Id);
    else if (flags.services)
      for (const service of new Set(shown.map((one) => label(one, LABEL.service)))) context.out.line(service);
    else if (flags.json) printJson(context.out, shown);
    else {
      const isDefault = flags.format === "" || flags.format === "table";
      await printList(context.out, {
        rows: shown.map((container) => {
          const row = containerRow(container, !flags["no-trunc"]);
          return {
            ...row,
            ...(row.Names ? { Name: row.Names } : {}),
            Service: () => label(container, LABEL.service),
            Project: () => label(container, LABEL.project),
            ...stateFields(container),
          };
        }),
        headings: { ...containerHeadings, Name: "NAME", Service: "SERVICE", Project: "PROJECT", ...STATE_HEADINGS },
        typeName: "*formatter.ContainerContext",
        format: isDefault ? TABLE : flags.format,
        fit: isDefault && !flags["no-trunc"],
      });
    }
    return 0;
  },
});

const STATE_HEADINGS = { ExitCode: "EXIT CODE", Health: "HEALTH", Publishers: "PUBLISHERS" };

/** What programs read of `ps --format json`, with docker compose's names and types. */
function stateFields({ Status, Ports }: ContainerSummary): Row {
  const published = (Ports ?? []).map(({ IP = "", PrivatePort, PublicPort = 0, Type }) => ({
    URL: IP,
    TargetPort: PrivatePort,
    PublishedPort: PublicPort,
    Protocol: Type,
  }));
  return {
    ExitCode: () => Number(/^Exited \((\d+)\)/.exec(Status)?.[1] ?? 0),
    Health: () => /\((?:health: )?(healthy|unhealthy|starting)\)$/.exec(Status)?.[1] ?? "",
    Publishers: () => published,
  };
}
