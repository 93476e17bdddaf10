import { LABEL, type Labels, parseDependencies } from "../request/labels.ts";
import { type ContainerState, isRunning, numberOf, type Observed, serviceOf } from "./observed.ts";
import { type Change, known, type Plan, type PlannedStep } from "./step.ts";

/** What is to go, beside containers. Names. */
export interface DownTargets {
  readonly containers: readonly ContainerState[];
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
  /** Anonymous volumes as well. */
  readonly anonymous: boolean;
}

/** Takes a project down: dependents before what they depend on, then networks, volumes and images. Pure. */
export function planDown(targets: DownTargets): Plan {
  const steps: PlannedStep[] = [];
  for (const container of targets.containers) {
    const after = dependents(container, targets.containers).map(({ id }) => `stop:${id}`);
    // One stopped already has nothing others could wait for.
    if (isRunning(container) || container.state === "paused")
      steps.push({ id: `stop:${container.id}`, step: { kind: "stop-container", container, why: "" }, after });
    steps.push({
      id: `remove:${container.id}`,
      step: { kind: "remove-container", container, volumes: targets.anonymous, why: "" },
      after: [`stop:${container.id}`],
    });
  }
  const removals = targets.containers.map(({ id }) => `remove:${id}`);
  for (const { id, name } of targets.networks)
    steps.push({ id: `network:${id}`, step: { kind: "remove-network", id, name }, after: removals });
  for (const name of targets.volumes)
    steps.push({ id: `volume:${name}`, step: { kind: "remove-volume", name }, after: removals });
  for (const name of targets.images)
    steps.push({ id: `image:${name}`, step: { kind: "remove-image", name }, after: removals });
  return known(steps);
}

/** Stops containers, dependents first. */
export function planStop(containers: readonly ContainerState[]): Plan {
  return known(
    containers.filter(isRunning).map((container) => ({
      id: `stop:${container.id}`,
      step: { kind: "stop-container", container, why: "" },
      after: dependents(container, containers).map(({ id }) => `stop:${id}`),
    })),
  );
}

/** Starts containers that do not run, each after those it depends on. */
export function planStart(containers: readonly ContainerState[]): Plan {
  const idle = containers.filter((container) => !isRunning(container) && container.state !== "paused");
  return known(
    idle.map((container) => ({
      id: `start:${container.id}`,
      step: {
        kind: "start-container",
        service: serviceOf(container),
        number: numberOf(container),
        name: container.name,
      },
      after: dependencies(container, idle).map(({ id }) => `start:${id}`),
    })),
  );
}

/** Does the same to each; for a restart, after those it depends on. */
export function planChange(containers: readonly ContainerState[], change: Change, signal?: string): Plan {
  return known(
    containers.map((container) => ({
      id: `${change}:${container.id}`,
      step: { kind: "change-container", container, change, ...(signal === undefined ? {} : { signal }) },
      after: change === "restart" ? dependencies(container, containers).map(({ id }) => `${change}:${id}`) : [],
    })),
  );
}

/** Removes containers that do not run. */
export function planRemove(containers: readonly ContainerState[], volumes: boolean): Plan {
  return containers.map((container) => ({
    id: `remove:${container.id}`,
    step: { kind: "remove-container", container, volumes, why: "" },
    after: [],
  }));
}

function dependencies(container: ContainerState, all: readonly ContainerState[]): ContainerState[] {
  return all.filter((other) => other !== container && dependents(other, [container]).length > 0);
}

function dependents(container: ContainerState, all: readonly ContainerState[]): ContainerState[] {
  const service = serviceOf(container);
  const own = new Set(parseDependencies(container.labels).map(({ name }) => name));
  return all.filter(
    (other) =>
      other !== container &&
      parseDependencies(other.labels).some(({ name }) => name === service) &&
      // Containers of different times may each name the other: neither waits then.
      !own.has(serviceOf(other)),
  );
}

/** A project's networks and volumes that are its own. */
export function ownResources(
  { networks, volumes }: Observed,
  project: string,
): Pick<DownTargets, "networks" | "volumes"> {
  const isOwn = ({ labels }: { readonly labels: Labels }) => labels[LABEL.project] === project;
  return {
    networks: [...networks].filter(([, one]) => isOwn(one)).map(([name, { id }]) => ({ id, name })),
    volumes: [...volumes].filter(([, one]) => isOwn(one)).map(([name]) => name),
  };
}
