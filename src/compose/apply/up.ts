import { HavreError } from "../../base/mod.ts";
import type { Project } from "../load/model.ts";
import { type ImageOptions, planImages } from "../plan/images.ts";
import type { Observed } from "../plan/observed.ts";
import type { Plan } from "../plan/step.ts";
import { orphans, planUp, type UpOptions } from "../plan/up.ts";
import { withoutUnused } from "../render/project.ts";
import { imageOf } from "../request/names.ts";
import { Actions } from "./actions.ts";
import type { Engine, ImageMaker, NamedResources } from "./engine.ts";
import { type RunOptions, runPlan } from "./run-plan.ts";

export interface UpRequest extends UpOptions, RunOptions {
  readonly project: Project;
  readonly images: ImageOptions;
  readonly engine: Engine;
  readonly imageMaker: ImageMaker;
  readonly timeout: number | undefined;
  readonly filesFolder: string | undefined;
  readonly warn: (message: string) => void;
  readonly ignoresOrphans: boolean;
  /** Before the first step: what will be done. */
  readonly onPlan?: (plan: Plan) => Promise<void> | void;
  /** Only plans. */
  readonly dryRun?: boolean;
}

/**
 * Makes of what is there what the project's files ask for: looks, makes or fetches images, looks again, plans, acts.
 * Run again after any interruption it goes on from what is there. Returns what is there in the end of images and names.
 */
export async function bringUp(request: UpRequest): Promise<void> {
  const { project, engine, warn } = request;
  const before = await observeProject(engine, project);
  checkExternals(project, before);
  const left = request.ignoresOrphans || request.removesOrphans ? [] : orphans(project, before);
  if (left.length > 0)
    warn(
      `Found orphan containers (${left.map(({ name }) => name).join(", ")}) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.`,
    );
  for (const [name, { provider }] of Object.entries(project.services))
    if (provider) warn(`Service ${name}: its provider (${provider.type}) is not called, the service is passed over`);
  const imagePlan = planImages(project, before.images, request.images);
  if (request.onPlan) await request.onPlan([...imagePlan, ...planUp(project, before, request)]);
  if (request.dryRun) return;
  const act = (observed: Observed, plan: Plan) => {
    const { imageMaker: images, signal, timeout, filesFolder } = request;
    const actions = new Actions({ project, observed, engine, images, signal, timeout, filesFolder, warn });
    return runPlan(plan, (step, detail) => actions.run(step, detail), request);
  };
  if (imagePlan.length > 0) await act(before, imagePlan);
  const observed = imagePlan.length > 0 ? { ...before, images: await imageIds(engine, project) } : before;
  const plan = planUp(project, observed, request);
  if (plan.length > 0) await act(observed, plan);
}

/** What is there of a project and of what its files name. */
export function observeProject(engine: Engine, project: Project): Promise<Observed> {
  return engine.observe(project.name, namedResources(project));
}

function namedResources(project: Project): NamedResources {
  const { networks, volumes } = withoutUnused(project);
  const names = (all: Readonly<Record<string, { readonly name?: string }>>) =>
    Object.values(all).flatMap(({ name }) => (name === undefined ? [] : [name]));
  return { networks: names(networks), volumes: names(volumes), images: imageNames(project) };
}

function imageNames(project: Project): string[] {
  const services = Object.entries(project.services).filter(([, { provider }]) => !provider);
  return [...new Set(services.map(([name, service]) => imageOf(project, name, service)))];
}

async function imageIds(engine: Engine, project: Project): Promise<Map<string, string>> {
  const found = await Promise.all(imageNames(project).map(async (name) => [name, await engine.imageId(name)] as const));
  return new Map(found.flatMap(([name, id]) => (id === undefined ? [] : [[name, id] as const])));
}

/** What is made outside must be there before anything is done. */
function checkExternals(project: Project, observed: Observed): void {
  const { networks, volumes } = withoutUnused(project);
  for (const { name = "", external } of Object.values(networks))
    if (external && !observed.networks.has(name))
      throw new HavreError("not-found", `network ${name} declared as external, but could not be found`, {
        hint: `Make it first: havre network create ${name}`,
      });
  for (const { name = "", external } of Object.values(volumes))
    if (external && !observed.volumes.has(name))
      throw new HavreError("not-found", `external volume "${name}" not found`, {
        hint: `Make it first: havre volume create ${name}`,
      });
}
