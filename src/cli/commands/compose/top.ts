import { isRunning } from "../../../compose/mod.ts";
import { defineCommand } from "../../command.ts";
import { command as containerTop } from "../container/top.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { containersOf } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [SERVICE...]",
  summary: "Display the running processes of a project's containers",
  examples: [["compose top", "Of all"]],
  flags: projectFlags,
  min: 0,
  async run({ context, flags, args }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const containers = containersOf(args, project, await engine.containers(name)).filter(isRunning);
    for (const [index, container] of containers.entries()) {
      context.out.line(`${index === 0 ? "" : "\n"}${container.name}`);
      await callCommand(containerTop, context, [container.id], {});
    }
    return 0;
  },
});
