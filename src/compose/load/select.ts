import { HavreError, nearest } from "../../base/mod.ts";
import type { Service } from "../schema/service.ts";
import { withEnvironment } from "./load.ts";
import type { Project } from "./model.ts";

/**
 * The project with the named services alone and, unless told otherwise, those they depend on. Naming a service makes
 * its profiles active. `not-found`, with the nearest name, for one that is not there.
 */
export function selectServices(project: Project, names: readonly string[], withDependencies: boolean): Project {
  if (names.length === 0) return project;
  const all = { ...project.inactive, ...project.services };
  for (const name of names) if (!Object.hasOwn(all, name)) throw noSuchService(name, Object.keys(all));
  const selected = new Set<string>();
  const visit = (name: string): void => {
    if (selected.has(name) || !Object.hasOwn(all, name)) return;
    selected.add(name);
    if (withDependencies) for (const other of Object.keys(all[name]?.depends_on ?? {})) visit(other);
  };
  for (const name of names) visit(name);
  const services: Record<string, Service> = {};
  const inactive: Record<string, Service> = {};
  for (const [name, service] of Object.entries(all)) {
    if (selected.has(name)) {
      // Dependencies that are left out stay in its words: without them it would seem to be another configuration.
      services[name] = name in project.services ? service : withEnvironment(service, project.environment);
    } else inactive[name] = service;
  }
  return { ...project, services, inactive };
}

export function noSuchService(name: string, known: readonly string[]): HavreError {
  const near = nearest(name, known);
  const hint = near === undefined ? `Services: ${[...known].sort().join(", ")}` : `Did you mean ${near}?`;
  return new HavreError("not-found", `no such service: ${name}`, { hint });
}
