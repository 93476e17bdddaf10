import type { ContainerState } from "./observed.ts";

/** One thing to do to a project. */
export type Step =
  | { readonly kind: "pull-image"; readonly image: string; readonly service: string }
  | { readonly kind: "build-image"; readonly image: string; readonly service: string }
  | { readonly kind: "create-network"; readonly key: string; readonly name: string }
  | { readonly kind: "create-volume"; readonly key: string; readonly name: string }
  | CreateContainer
  | { readonly kind: "start-container"; readonly service: string; readonly number: number; readonly name: string }
  | StopContainer
  | RemoveContainer
  | RenameContainer
  | ChangeContainer
  | HandOver
  | WaitFor
  | { readonly kind: "remove-network"; readonly id: string; readonly name: string }
  | { readonly kind: "remove-volume"; readonly name: string }
  | { readonly kind: "remove-image"; readonly name: string };

export interface CreateContainer {
  readonly kind: "create-container";
  readonly service: string;
  readonly number: number;
  readonly name: string;
  /** The container whose place it takes, with its anonymous volumes unless they are to be made anew. */
  readonly replaces?: ContainerState;
  readonly renewsVolumes: boolean;
  /** The one it replaces goes on until this one is well: see `HandOver`. */
  readonly startsFirst?: true;
  readonly why: string;
}

export interface StopContainer {
  readonly kind: "stop-container";
  readonly container: ContainerState;
  readonly why: string;
}

export interface RemoveContainer {
  readonly kind: "remove-container";
  readonly container: ContainerState;
  /** Its anonymous volumes as well. */
  readonly volumes: boolean;
  readonly why: string;
}

/** A replacement that was cut off before it had its name. */
export interface RenameContainer {
  readonly kind: "rename-container";
  readonly container: ContainerState;
  readonly name: string;
}

/** The new container is well: it gets the old one's ports, at one moment, and the old one ends when nobody is connected to it. */
export interface HandOver {
  readonly kind: "hand-over";
  readonly service: string;
  readonly number: number;
  readonly name: string;
  readonly from: ContainerState;
}

export type Change = "restart" | "kill" | "pause" | "unpause";

/** What keeps a container and its configuration. */
export interface ChangeContainer {
  readonly kind: "change-container";
  readonly container: ContainerState;
  readonly change: Change;
  /** Of `kill`. */
  readonly signal?: string;
}

export type Condition = "service_started" | "service_healthy" | "service_completed_successfully" | "running_or_healthy";

/** Holds back what depends on a service until it is as wanted. */
export interface WaitFor {
  readonly kind: "wait";
  readonly service: string;
  readonly condition: Condition;
  /** Its containers, by number. */
  readonly numbers: readonly number[];
  /** Who waits. */
  readonly by: string;
  /** Without: a failure is told, and what depends goes on. */
  readonly required: boolean;
  /** It is to take this one's place: when it cannot, it goes, and this one stays. */
  readonly successorOf?: ContainerState;
}

/** A step in its place: it begins when those it comes after are done. */
export interface PlannedStep {
  readonly id: string;
  readonly step: Step;
  readonly after: readonly string[];
}

export type Plan = readonly PlannedStep[];

/** The same steps without what they were to come after that is not among them. */
export function known(steps: readonly PlannedStep[]): Plan {
  const ids = new Set(steps.map(({ id }) => id));
  return steps.map((planned) => ({ ...planned, after: planned.after.filter((id) => ids.has(id)) }));
}

/** What a step is about: `Container shop-web-1`. */
export function subject(step: Step): string {
  switch (step.kind) {
    case "pull-image":
    case "build-image":
      return `Image ${step.image}`;
    case "create-network":
    case "remove-network":
      return `Network ${step.name}`;
    case "create-volume":
    case "remove-volume":
      return `Volume ${step.name}`;
    case "remove-image":
      return `Image ${step.name}`;
    case "create-container":
    case "start-container":
    case "hand-over":
      return `Container ${step.name}`;
    case "stop-container":
    case "remove-container":
    case "rename-container":
    case "change-container":
      return `Container ${step.container.name}`;
    case "wait":
      return `Service ${step.service}`;
  }
}

const WORDS: Readonly<Record<Step["kind"], readonly [doing: string, done: string]>> = {
  "pull-image": ["Pulling", "Pulled"],
  "build-image": ["Building", "Built"],
  "create-network": ["Creating", "Created"],
  "create-volume": ["Creating", "Created"],
  "create-container": ["Creating", "Created"],
  "start-container": ["Starting", "Started"],
  "stop-container": ["Stopping", "Stopped"],
  "remove-container": ["Removing", "Removed"],
  "rename-container": ["Renaming", "Renamed"],
  "change-container": ["Changing", "Changed"],
  "hand-over": ["Taking over", "Replaced"],
  "remove-network": ["Removing", "Removed"],
  "remove-volume": ["Removing", "Removed"],
  "remove-image": ["Removing", "Removed"],
  wait: ["Waiting", "Healthy"],
};

const CHANGES: Readonly<Record<Change, readonly [doing: string, done: string]>> = {
  restart: ["Restarting", "Started"],
  kill: ["Killing", "Killed"],
  pause: ["Pausing", "Paused"],
  unpause: ["Unpausing", "Unpaused"],
};

/** What is being done, and what has been, in a word. */
export function words(step: Step): readonly [doing: string, done: string] {
  if (step.kind === "create-container" && step.replaces && !step.startsFirst) return ["Recreate", "Recreated"];
  if (step.kind === "change-container") return CHANGES[step.change];
  if (step.kind === "wait" && step.condition === "service_completed_successfully") return ["Waiting", "Exited"];
  if (step.kind === "wait" && step.condition === "service_started") return ["Waiting", "Started"];
  return WORDS[step.kind];
}

/** A plan as lines for people: each step, what it comes after, and why. */
export function describePlan(plan: Plan): string[] {
  if (plan.length === 0) return ["Nothing to do"];
  return plan.map(({ step }) => {
    const why = "why" in step && step.why !== "" ? `  (${step.why})` : "";
    return `${verb(step).padEnd(9)} ${subject(step)}${why}`;
  });
}

function verb(step: Step): string {
  if (step.kind === "create-container") return step.replaces ? "replace" : "create";
  if (step.kind === "wait") return "wait for";
  if (step.kind === "change-container") return step.change;
  if (step.kind === "hand-over") return "take over";
  return step.kind.slice(0, step.kind.indexOf("-"));
}
