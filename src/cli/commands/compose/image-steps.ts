import { Actions, describePlan, type Plan, type Project, runPlan } from "../../../compose/mod.ts";
import type { Context } from "../../context.ts";
import type { BuildWishes } from "./build-request.ts";
import type { ProjectFlags } from "./flags.ts";
import { openSession } from "./session.ts";

/** Fetches or makes images of a project; `missingOnly` leaves those that are here. */
export async function runImageSteps(
  context: Context,
  flags: ProjectFlags,
  project: Project,
  plan: Plan,
  { missingOnly, wishes }: { readonly missingOnly: boolean; readonly wishes?: BuildWishes },
): Promise<void> {
  await using session = await openSession(context, flags, project, wishes);
  const names = plan.flatMap(({ step }) => ("image" in step ? [step.image] : []));
  const observed = await session.engine.observe(project.name, {
    networks: [],
    volumes: [],
    images: missingOnly ? names : [],
  });
  const left = plan.filter(({ step }) => !("image" in step) || !observed.images.has(step.image));
  if (flags["dry-run"]) {
    for (const line of describePlan(left)) context.out.line(line);
    return;
  }
  const actions = new Actions({
    project,
    observed,
    engine: session.engine,
    images: session.images,
    signal: session.signal,
    timeout: undefined,
    filesFolder: undefined,
    warn: session.warn,
  });
  await runPlan(left, (step, detail) => actions.run(step, detail), session.run);
}
