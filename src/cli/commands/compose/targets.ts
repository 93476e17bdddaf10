import { HavreError } from "../../../base/mod.ts";
import {
  type ContainerState,
  isOneOff,
  isRunning,
  noSuchService,
  numberOf,
  type Project,
  serviceOf,
} from "../../../compose/mod.ts";

/** `not-found`, with the nearest name, for a service that neither the files nor the containers know. */
export function checkServices(
  names: readonly string[],
  project: Project | undefined,
  containers: readonly ContainerState[],
): void {
  const known = new Set([
    ...Object.keys(project?.services ?? {}),
    ...Object.keys(project?.inactive ?? {}),
    ...containers.map(serviceOf),
  ]);
  for (const name of names) if (!known.has(name)) throw noSuchService(name, [...known]);
}

/** The containers of the named services, or of all. Those of `run` are not theirs. */
export function containersOf(
  names: readonly string[],
  project: Project | undefined,
  containers: readonly ContainerState[],
): ContainerState[] {
  checkServices(names, project, containers);
  return containers
    .filter((one) => !isOneOff(one) && (names.length === 0 || names.includes(serviceOf(one))))
    .sort((a, b) => (serviceOf(a) < serviceOf(b) ? -1 : serviceOf(a) > serviceOf(b) ? 1 : numberOf(a) - numberOf(b)));
}

/** One container of a service: the first that runs, or the one with this number. */
export function oneContainer(
  service: string,
  index: number,
  project: Project | undefined,
  containers: readonly ContainerState[],
): ContainerState {
  const all = containersOf([service], project, containers);
  const found = index > 0 ? all.find((one) => numberOf(one) === index) : (all.find(isRunning) ?? all[0]);
  if (found) return found;
  const which = index > 0 ? `container #${index} of service "${service}"` : `service "${service}"`;
  throw new HavreError("not-found", `${which} is not running`, { hint: "Start it: havre up -d" });
}
