import { integer, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { command as containerAttach } from "../container/attach.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { oneContainer } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE",
  summary: "Attach local standard input, output, and error streams to a service's running container",
  examples: [["compose attach web", "Its output, and input where it takes any; ctrl-p ctrl-q leaves it running"]],
  flags: {
    ...projectFlags,
    "detach-keys": text("Override the key sequence for detaching from a container"),
    index: integer("Index of the container if service has multiple replicas"),
    "no-stdin": toggle("Do not attach STDIN"),
    "sig-proxy": toggle("Proxy all received signals to the process", { initial: true, defaultText: "true" }),
  },
  min: 1,
  max: 1,
  async run({ context, flags, args: [service = ""] }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const { id } = oneContainer(service, flags.index, project, await engine.containers(name));
    return callCommand(containerAttach, context, [id], {
      "detach-keys": flags["detach-keys"],
      "no-stdin": flags["no-stdin"],
      "sig-proxy": flags["sig-proxy"],
    });
  },
});
