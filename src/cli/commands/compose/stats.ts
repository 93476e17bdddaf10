import { isRunning } from "../../../compose/mod.ts";
import { formatFlag, jsonFlag, noTruncFlag } from "../../args/common.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { command as containerStats } from "../container/stats.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { containersOf } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Display a live stream of a project's containers' resource usage statistics",
  examples: [["compose stats --no-stream", "Once"]],
  flags: {
    ...projectFlags,
    all: toggle("Show all containers (default shows just running)", { short: "a" }),
    format: formatFlag,
    json: jsonFlag,
    "no-stream": toggle("Disable streaming stats and only pull the first result"),
    "no-trunc": noTruncFlag,
  },
  min: 0,
  async run({ context, flags, args }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const found = containersOf(args, project, await engine.containers(name));
    const ids = found.filter((one) => flags.all || isRunning(one)).map(({ id }) => id);
    if (ids.length === 0) return 0;
    return callCommand(containerStats, context, ids, {
      all: flags.all,
      format: flags.format,
      json: flags.json,
      "no-stream": flags["no-stream"],
      "no-trunc": flags["no-trunc"],
    });
  },
});
