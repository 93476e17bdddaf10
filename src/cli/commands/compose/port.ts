import { integer, text } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { command as containerPort } from "../container/port.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { oneContainer } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE PRIVATE_PORT",
  summary: "Print the public port for a port binding",
  examples: [["compose port web 80", "Where its port 80 is reached"]],
  flags: {
    ...projectFlags,
    index: integer("Index of the container if service has multiple replicas"),
    protocol: text("tcp or udp", { initial: "tcp", defaultText: '"tcp"' }),
  },
  min: 2,
  max: 2,
  async run({ context, flags, args: [service = "", port = ""] }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const { id } = oneContainer(service, flags.index, project, await engine.containers(name));
    return callCommand(containerPort, context, [id, port.includes("/") ? port : `${port}/${flags.protocol}`], {});
  },
});
