import type { Project } from "../load/model.ts";
import type { Service } from "../schema/service.ts";

/** The image a service runs: its own, or the one its build is named. */
export function imageOf(project: Pick<Project, "name">, name: string, service: Service): string {
  return service.image ?? `${project.name}-${name}`;
}

export function containerName(project: Pick<Project, "name">, name: string, service: Service, number: number): string {
  return service.container_name ?? `${project.name}-${name}-${number}`;
}

/** How many containers a service wants. */
export function scaleOf(service: Service): number {
  return service.scale ?? service.deploy?.replicas ?? 1;
}

/** A service's networks, the one with the highest priority first: it is the container's own. */
export function networksByPriority(service: Service): string[] {
  const networks = Object.entries(service.networks ?? {});
  const priority = (network: (typeof networks)[number][1]) => network?.priority ?? 0;
  return networks
    .sort(([a, first], [b, second]) => priority(second) - priority(first) || (a < b ? -1 : 1))
    .map(([name]) => name);
}
