import type { Project } from "../load/model.ts";
import { imageOf } from "../request/names.ts";
import type { Service } from "../schema/service.ts";
import { known, type Plan, type PlannedStep } from "./step.ts";

export interface ImageOptions {
  /** `--build`: make images again; `never` refuses to. */
  readonly build: "missing" | "always" | "never";
  /** `--pull`, before each service's own policy. */
  readonly pull: "" | "always" | "missing" | "never";
}

/** The images that are missing, or that are to be made or fetched again; each once. */
export function planImages(project: Project, images: ReadonlyMap<string, string>, options: ImageOptions): Plan {
  const steps = new Builds(project);
  for (const [name, service] of Object.entries(project.services)) {
    if (service.provider) continue;
    const image = imageOf(project, name, service);
    const policy = options.pull || service.pull_policy || "";
    const isThere = images.has(image);
    const builds = service.build && options.build !== "never";
    if (builds && (options.build === "always" || policy === "build" || (!isThere && policy !== "always"))) {
      steps.build(name, service, (other) => !images.has(other));
    } else if (pulls(policy, isThere)) steps.pull(name, image);
  }
  return steps.plan();
}

/** The images of services that have a build, each after those it stands on by name. */
export function planBuilds(project: Project): Plan {
  const steps = new Builds(project);
  for (const [name, service] of Object.entries(project.services))
    if (service.build) steps.build(name, service, () => true);
  return steps.plan();
}

/** Steps that make or fetch images. One that others are named after is made before them, and never fetched. */
class Builds {
  readonly #steps = new Map<string, PlannedStep>();
  readonly #project: Project;

  constructor(project: Project) {
    this.#project = project;
  }

  plan(): Plan {
    return known([...this.#steps.values()]);
  }

  pull(service: string, image: string): void {
    if (this.#steps.has(image)) return;
    this.#steps.set(image, { id: `image:${image}`, step: { kind: "pull-image", image, service }, after: [] });
  }

  /** The image of a service, and those of services whose images its build names, as far as they are `wanted`. */
  build(name: string, service: Service, wanted: (image: string) => boolean): void {
    const image = imageOf(this.#project, name, service);
    if (this.#steps.get(image)?.step.kind === "build-image") return;
    const needed = Object.values(service.build?.additional_contexts ?? {}).flatMap((value) => {
      const other = serviceOfContext(value) ?? "";
      const found = this.#project.services[other] ?? this.#project.inactive[other];
      return found ? [[other, found, imageOf(this.#project, other, found)] as const] : [];
    });
    const after = needed.map(([, , its]) => `image:${its}`);
    this.#steps.set(image, { id: `image:${image}`, step: { kind: "build-image", image, service: name }, after });
    for (const [other, its, itsImage] of needed) if (its.build && wanted(itsImage)) this.build(other, its, wanted);
  }
}

/** The service that a build's context names: `service:NAME`. */
export function serviceOfContext(value: string): string | undefined {
  return /^service:(.+)$/.exec(value)?.[1];
}

function pulls(policy: string, isThere: boolean): boolean {
  if (policy === "always" || policy === "daily" || policy === "weekly" || policy.startsWith("every_")) return true;
  return policy !== "never" && policy !== "build" && !isThere;
}
