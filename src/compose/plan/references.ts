import type { Service } from "../schema/service.ts";

/** Id of the first container of a service; undefined while it is not there. */
export type FindContainer = (service: string) => string | undefined;

const NAMESPACES = ["network_mode", "ipc", "pid", "uts"] as const;

/** The services whose containers a service's own words name: it can be made only once they are. */
export function referencedServices(service: Service): string[] {
  const namespaces = NAMESPACES.map((key) => service[key]).flatMap((mode) =>
    mode?.startsWith("service:") ? [mode.slice("service:".length)] : [],
  );
  const volumes = (service.volumes_from ?? []).flatMap((from) =>
    from.startsWith("container:") ? [] : [from.split(":")[0] ?? ""],
  );
  return [...new Set([...namespaces, ...volumes])];
}

/** The same service with containers' ids in place of services' names; undefined while one is missing. */
export function resolveReferences(service: Service, find: FindContainer): Service | undefined {
  let missing = false;
  const idOf = (name: string): string => {
    const id = find(name);
    missing ||= id === undefined;
    return id ?? "";
  };
  const modes = NAMESPACES.flatMap((key) => {
    const mode = service[key];
    return mode?.startsWith("service:") ? [[key, `container:${idOf(mode.slice("service:".length))}`] as const] : [];
  });
  const volumes = service.volumes_from?.map((from) => {
    const [first = "", ...rest] = from.split(":");
    return first === "container" ? rest.join(":") : [idOf(first), ...rest].join(":");
  });
  const resolved = { ...service, ...Object.fromEntries(modes), ...(volumes ? { volumes_from: volumes } : {}) };
  return missing ? undefined : resolved;
}
