import { HavreError } from "../../../base/mod.ts";
import { integer, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { command as containerCp } from "../container/cp.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { containersOf, oneContainer } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE:SRC_PATH DEST_PATH|-\n        havre compose cp [OPTIONS] SRC_PATH|- SERVICE:DEST_PATH",
  summary: "Copy files/folders between a service container and the local filesystem",
  examples: [["compose cp web:/var/log/nginx logs", "A folder out of a service's container"]],
  flags: {
    ...projectFlags,
    all: toggle("Include containers created by the run command", { hidden: true }),
    archive: toggle("Archive mode (copy all uid/gid information)", { short: "a" }),
    "follow-link": toggle("Always follow symbol link in SRC_PATH", { short: "L" }),
    index: integer("Index of the container if service has multiple replicas"),
  },
  min: 2,
  max: 2,
  async run({ context, flags, args: [from = "", to = ""] }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const all = await engine.containers(name);
    const parse = (word: string) => /^([a-zA-Z0-9._-]+):(.*)$/s.exec(word);
    const [source, target] = [parse(from), parse(to)];
    if (source && target) throw new HavreError("invalid-argument", "copying between services is not supported");
    const options = { archive: flags.archive, "follow-link": flags["follow-link"], quiet: !context.err.isTerminal };
    if (source) {
      const { id } = oneContainer(source[1] ?? "", flags.index, project, all);
      return callCommand(containerCp, context, [`${id}:${source[2]}`, to], options);
    }
    if (!target) throw new HavreError("invalid-argument", "unknown copy direction: name a service on one side");
    // Into a service means into each of its containers.
    const chosen =
      flags.index > 0
        ? [oneContainer(target[1] ?? "", flags.index, project, all)]
        : containersOf([target[1] ?? ""], project, all);
    for (const { id } of chosen) await callCommand(containerCp, context, [from, `${id}:${target[2]}`], options);
    return 0;
  },
});
