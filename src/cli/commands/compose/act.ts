import { Actions, type ContainerState, describePlan, isOneOff, type Plan, runPlan } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import type { ProjectFlags } from "./flags.ts";
import { filesFolder, knownProject } from "./project.ts";
import { openSession } from "./session.ts";
import { containersOf } from "./targets.ts";

export interface Act {
  readonly services: readonly string[];
  readonly timeout?: number | undefined;
  /** What is to be done with the chosen services' containers, and with those of `run`. */
  readonly plan: (chosen: readonly ContainerState[], all: readonly ContainerState[]) => Plan | Promise<Plan>;
  /** Said when there is nothing to do. */
  readonly nothing?: string;
}

/** Does something to what is there of a project. */
export async function act(
  context: Context,
  flags: ProjectFlags,
  { services, timeout, plan, nothing }: Act,
): Promise<number> {
  const { name, project } = await knownProject(context, flags);
  await using session = await openSession(context, flags);
  const observed = await session.engine.observe(name, { networks: [], volumes: [], images: [] });
  const steps = await plan(containersOf(services, project, observed.containers), observed.containers);
  if (flags["dry-run"]) {
    for (const line of describePlan(steps)) context.out.line(line);
    return 0;
  }
  if (steps.length === 0 && nothing !== undefined) session.progress.line(nothing);
  const actions = new Actions({
    project,
    observed: { ...observed, containers: observed.containers.filter((one) => !isOneOff(one)) },
    engine: session.engine,
    images: session.images,
    signal: session.signal,
    timeout,
    filesFolder: filesFolder(context),
    warn: session.warn,
  });
  await runPlan(steps, (step, detail) => actions.run(step, detail), session.run);
  return 0;
}
