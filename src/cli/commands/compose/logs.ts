import { isOneOff, LABEL, serviceOf } from "../../../compose/mod.ts";
import { integer, text, toggle } from "../../args/flags.ts";
import { timeQuery } from "../../args/time.ts";
import { defineCommand } from "../../command.ts";
import { ClientEngine } from "./engine.ts";
import { longProjectFlags } from "./flags.ts";
import { LogView, shortName } from "./log-view.ts";
import { knownProject } from "./project.ts";
import { checkServices } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "View output from a project's containers",
  examples: [
    ["compose logs -f --tail 10", "The last lines of all, and what comes"],
    ["compose logs web --since 10m", "Ten minutes of one service"],
  ],
  flags: {
    ...longProjectFlags,
    follow: toggle("Follow log output", { short: "f" }),
    index: integer("index of the container if service has multiple replicas"),
    "no-color": toggle("Produce monochrome output"),
    "no-log-prefix": toggle("Don't print prefix in logs"),
    since: text("Show logs since timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"),
    tail: text("Number of lines to show from the end of the logs for each container", {
      short: "n",
      initial: "all",
      defaultText: '"all"',
    }),
    timestamps: toggle("Show timestamps", { short: "t" }),
    until: text("Show logs before a timestamp (e.g. 2013-01-02T13:23:37Z) or relative (e.g. 42m for 42 minutes)"),
  },
  min: 0,
  async run({ context, flags, args }) {
    const known = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const all = await engine.containers(known.name);
    checkServices(args, known.project, all);
    const containers = all
      .filter((one) => !isOneOff(one) && (args.length === 0 || args.includes(serviceOf(one))))
      .filter((one) => flags.index === 0 || one.labels[LABEL.number] === String(flags.index));
    const view = new LogView(context, {
      coloured: context.out.isTerminal && !flags["no-color"],
      prefixed: !flags["no-log-prefix"],
    });
    view.announce(containers.map(shortName));
    const options = {
      follow: flags.follow,
      tail: flags.tail,
      since: timeQuery("since", flags.since),
      until: timeQuery("until", flags.until),
      timestamps: flags.timestamps,
    };
    await Promise.all(containers.map((container) => view.follow(engine.client, container, options)));
    return 0;
  },
});
