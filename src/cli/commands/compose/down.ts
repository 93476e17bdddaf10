import { HavreError } from "../../../base/mod.ts";
import {
  Actions,
  describePlan,
  dropFiles,
  imageOf,
  isOneOff,
  type Observed,
  ownResources,
  type Project,
  planDown,
  runPlan,
  serviceOf,
} from "../../../compose/mod.ts";
import { text, toggle } from "../../args/flags.ts";
import { defineCommand } from "../../command.ts";
import { projectFlags, timeoutFlag } from "./flags.ts";
import { filesFolder, knownProject, placeInWords } from "./project.ts";
import { openSession } from "./session.ts";

export const command = defineCommand({
  usage: "[OPTIONS] [FOLDER|FILE] [SERVICE...]",
  summary: "Stop and remove a project's containers and networks",
  examples: [
    ["down", "The project of this folder; its volumes stay"],
    ["down -v", "Its volumes too: its data is gone"],
    ["down -p shop", "By name, without its files"],
  ],
  flags: {
    ...projectFlags,
    "remove-orphans": toggle("Remove containers for services not defined in the Compose file"),
    rmi: text(
      'Remove images used by services. "local" remove only images that don\'t have a custom tag ("local"|"all")',
    ),
    timeout: timeoutFlag,
    volumes: toggle(
      'Remove named volumes declared in the "volumes" section of the Compose file and anonymous volumes',
      {
        short: "v",
      },
    ),
  },
  min: 0,
  async run({ context, flags: given, args }) {
    if (!["", "local", "all"].includes(given.rmi))
      throw new HavreError("invalid-argument", `invalid value for --rmi: ${JSON.stringify(given.rmi)}`);
    const { flags: placed, services: named } = placeInWords(args, given);
    const flags = { ...given, ...placed };
    const { name, project } = await knownProject(context, flags);
    await using session = await openSession(context, flags);
    const observed = await session.engine.observe(name, { networks: [], volumes: [], images: [] });
    const targets = downTargets(name, project, observed, named, flags["remove-orphans"]);
    const plan = planDown({
      ...targets,
      volumes: flags.volumes ? targets.volumes : [],
      images: flags.rmi === "" || !project ? [] : images(project, flags.rmi === "all"),
      anonymous: flags.volumes,
    });
    if (plan.length === 0) {
      session.warn(`No resource found to remove for project "${name}".`);
      return 0;
    }
    if (flags["dry-run"]) {
      for (const line of describePlan(plan)) context.out.line(line);
      return 0;
    }
    const actions = new Actions({
      project,
      observed,
      engine: session.engine,
      images: session.images,
      signal: session.signal,
      timeout: flags.timeout,
      filesFolder: undefined,
      warn: session.warn,
    });
    await runPlan(plan, (step, detail) => actions.run(step, detail), session.run);
    if (named.length === 0) dropFiles(name, filesFolder(context));
    return 0;
  },
});

function downTargets(
  name: string,
  project: Project | undefined,
  observed: Observed,
  named: readonly string[],
  removesOrphans: boolean,
) {
  const known = project && { ...project.services, ...project.inactive };
  const containers = observed.containers.filter((container) => {
    if (named.length > 0) return named.includes(serviceOf(container));
    if (removesOrphans || known === undefined) return true;
    return serviceOf(container) in known && !isOneOff(container);
  });
  // Some services only: what others use stays.
  const { networks, volumes } = named.length > 0 ? { networks: [], volumes: [] } : ownResources(observed, name);
  return { containers, networks, volumes };
}

function images(project: Project, all: boolean): string[] {
  const services = Object.entries({ ...project.services, ...project.inactive });
  const chosen = services.filter(([, service]) => all || service.image === undefined);
  return [...new Set(chosen.map(([name, service]) => imageOf(project, name, service)))];
}
