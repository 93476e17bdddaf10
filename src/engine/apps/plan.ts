import { HavreError } from "../../base/mod.ts";
import type { NetworkRequest } from "../../networks/mod.ts";
import type { ContainerCreateRequest } from "../../spec/mod.ts";

/** What an archive of an application is made of, its first member. */
export interface ApplicationPlan {
  readonly format: 1;
  readonly project: string;
  /** In the order in which they were made. */
  readonly containers: readonly PlannedContainer[];
  readonly networks: readonly NetworkRequest[];
  /** Local volumes that come with their content. */
  readonly volumes: readonly string[];
  /** Digests of the images. */
  readonly images: readonly string[];
  /** What is not in it and has to be on the other host. */
  readonly left: readonly string[];
}

export interface PlannedContainer {
  /** Its id where it came from, which others may name. */
  readonly id: string;
  readonly name: string;
  /** Digest of its image. */
  readonly image: string;
  readonly running: boolean;
  readonly request: ContainerCreateRequest;
}

/** Reads a plan. `invalid-argument` for what is none, or of a later format. */
export function parsePlan(text: string): ApplicationPlan {
  let plan: Partial<ApplicationPlan>;
  try {
    plan = JSON.parse(text);
  } catch (cause) {
    throw new HavreError("invalid-argument", "The application's plan is not JSON", { cause });
  }
  if (plan.format !== 1)
    throw new HavreError(
      "invalid-argument",
      `The application has format ${String(plan.format)}, which this program does not know`,
    );
  const lists = [plan.containers, plan.networks, plan.volumes, plan.images, plan.left];
  if (typeof plan.project !== "string" || !lists.every(Array.isArray))
    throw new HavreError("invalid-argument", "The application's plan is incomplete");
  return plan as ApplicationPlan;
}
