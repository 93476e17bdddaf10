import type { Project } from "../load/model.ts";
import { imageOf } from "../request/names.ts";
import type { Plan, PlannedStep } from "./step.ts";

export interface ImageOptions {
  /** `--build`: make images again; `never` refuses to. */
  readonly build: "missing" | "always" | "never";
  /** `--pull`, before each service's own policy. */
  readonly pull: "" | "always" | "missing" | "never";
}

/** The images that are missing, or that are to be made or fetched again; each once. */
export function planImages(project: Project, images: ReadonlyMap<string, string>, options: ImageOptions): Plan {
  const steps = new Map<string, PlannedStep>();
  for (const [name, service] of Object.entries(project.services)) {
    if (service.provider) continue;
    const image = imageOf(project, name, service);
    const policy = options.pull || service.pull_policy || "";
    const isThere = images.has(image);
    const builds = service.build && options.build !== "never";
    if (builds && (options.build === "always" || policy === "build" || (!isThere && policy !== "always"))) {
      // An image others are named after is made before them, and never fetched.
      steps.set(image, { id: `image:${image}`, step: { kind: "build-image", image, service: name }, after: [] });
    } else if (!steps.has(image) && pulls(policy, isThere)) {
      steps.set(image, { id: `image:${image}`, step: { kind: "pull-image", image, service: name }, after: [] });
    }
  }
  return [...steps.values()];
}

function pulls(policy: string, isThere: boolean): boolean {
  if (policy === "always" || policy === "daily" || policy === "weekly" || policy.startsWith("every_")) return true;
  return policy !== "never" && policy !== "build" && !isThere;
}
