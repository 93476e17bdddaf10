import { integer, list, text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { isTerminal } from "../../output/output.ts";
import { command as containerExec } from "../container/exec.ts";
import { callCommand } from "./call.ts";
import { ClientEngine } from "./engine.ts";
import { projectFlags } from "./flags.ts";
import { knownProject } from "./project.ts";
import { oneContainer } from "./targets.ts";

export const command = defineCommand({
  usage: "[OPTIONS] SERVICE COMMAND [ARG...]",
  summary: "Execute a command in a running container of a service",
  examples: [
    ["compose exec web sh", "A shell, with a terminal where there is one"],
    ["compose exec -T db mysqldump shop > dump.sql", "Into a file"],
  ],
  flags: {
    ...projectFlags,
    detach: toggle("Detached mode: Run command in the background", { short: "d" }),
    env: list("Set environment variables", { short: "e" }),
    index: integer("Index of the container if service has multiple replicas"),
    interactive: toggle("Keep STDIN open even if not attached", { short: "i", initial: true, hidden: true }),
    "no-TTY": toggle("Disable pseudo-TTY allocation (default: as the terminal is)", { short: "T" }),
    "no-tty": toggle("", { hidden: true, aliasOf: "no-TTY" }),
    privileged: toggle("Give extended privileges to the process"),
    tty: toggle("", { short: "t", hidden: true }),
    user: text("Run the command as this user", { short: "u" }),
    workdir: text("Path to workdir directory for this command", { short: "w" }),
  },
  min: 2,
  interspersed: false,
  async run({ context, flags, args: [service = "", ...words] }) {
    const { name, project } = await knownProject(context, flags);
    const engine = new ClientEngine(await context.client());
    const { id } = oneContainer(service, flags.index, project, await engine.containers(name));
    const tty = !flags["no-TTY"] && !flags.detach && isTerminal(0) && context.out.isTerminal;
    return callCommand(containerExec, context, [id, ...words], {
      detach: flags.detach,
      env: flags.env,
      interactive: flags.interactive && !flags.detach,
      privileged: flags.privileged,
      tty,
      user: flags.user,
      workdir: flags.workdir,
    });
  },
});
