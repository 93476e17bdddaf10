import { isRunning } from "../../../compose/mod.ts";
import { toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { callCommand } from "./call.ts";
import { command as down } from "./down.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { containersOf } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE [SERVICE...]",
  summary: "Block until the containers of services stop",
  examples: [["compose wait job", "Its exit code is this command's"]],
  flags: {
    ...projectFlags,
    "down-project": toggle("Drops project when the first container stops"),
  },
  min: 1,
  async run({ context, flags, args }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const containers = containersOf(args, project, await engine.containers(name)).filter(isRunning);
    if (containers.length === 0) {
      context.err.line(`no containers for project "${name}"`);
      return 1;
    }
    const signal = new AbortController().signal;
    const ends = containers.map(async ({ id, name }) => {
      const code = await engine.wait(id, signal);
      context.out.line(`container ${name} exited with status code ${code}`);
      return code;
    });
    const code = flags["down-project"] ? await Promise.race(ends) : ((await Promise.all(ends)).at(-1) ?? 0);
    if (flags["down-project"]) await callCommand(down, context, [], { ...flags });
    return code;
  },
});
