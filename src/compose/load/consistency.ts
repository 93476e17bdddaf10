import type { Service } from "../schema/service.ts";
import type { Path } from "../source/node.ts";
import type { Project } from "./model.ts";

/** Says where in the files something is wrong, and throws. */
export type Complain = (path: Path, what: string, hint?: string) => never;

/** Checks what no single place shows: references, contradictions, circles. */
export function checkConsistency(project: Project, complain: Complain): void {
  const names = new Map<string, string>();
  for (const [name, service] of Object.entries(project.services)) {
    const at = (...keys: string[]) => ["services", name, ...keys];
    checkService(name, service, complain);
    checkReferences(name, service, project, complain);
    checkLimits(name, service, complain);
    const { container_name: fixed } = service;
    if (!fixed) continue;
    const other = names.get(fixed);
    if (other !== undefined)
      complain(at("container_name"), `container name "${fixed}" is already in use by services.${other}`);
    names.set(fixed, name);
    const count = service.scale ?? service.deploy?.replicas ?? 1;
    if (count > 1)
      complain(at("container_name"), "can't set container_name and scale: a container's name must be unique");
  }
  checkFiles(project, complain);
  checkPortClashes(project, complain);
  checkCycles(project, complain);
}

function checkService(name: string, service: Service, complain: Complain): void {
  const at = (...keys: string[]) => ["services", name, ...keys];
  const { build, healthcheck, develop } = service;
  if (!build && !service.image && !service.provider)
    complain(at(), "has neither an image nor a build context specified", "Add image: NAME or build: FOLDER");
  if (build?.dockerfile !== undefined && build.dockerfile_inline !== undefined)
    complain(at("build"), "declares mutually exclusive dockerfile and dockerfile_inline");
  if (build?.platforms?.length && service.platform && !build.platforms.includes(service.platform))
    complain(at("build", "platforms"), `must include the service's platform ${service.platform}`);
  if (service.network_mode !== undefined && Object.keys(service.networks ?? {}).length > 0)
    complain(at("network_mode"), "declares mutually exclusive `network_mode` and `networks`");
  const [kind] = healthcheck?.test ?? [];
  if (kind !== undefined && !["CMD", "CMD-SHELL", "NONE"].includes(kind))
    complain(at("healthcheck", "test"), 'must start either by "CMD", "CMD-SHELL" or "NONE"');
  for (const [index, { action, target, exec }] of (develop?.watch ?? []).entries()) {
    const place = at("develop", "watch", `[${index}]`);
    if (action?.startsWith("sync") && !target) complain(place, "target is required for non-rebuild actions");
    if (action === "sync+exec" && !exec) complain(place, "exec is required for sync+exec");
  }
}

function checkReferences(name: string, service: Service, project: Project, complain: Complain): void {
  const at = (...keys: string[]) => ["services", name, ...keys];
  const missing = (kind: string, key: string, path: Path, known: object): void => {
    if (!(key in known)) complain(path, `service "${name}" refers to undefined ${kind} ${key}`, declared(kind, known));
  };
  for (const network of Object.keys(service.networks ?? {}))
    missing("network", network, at("networks", network), project.networks);
  for (const [index, { type, source }] of (service.volumes ?? []).entries()) {
    if (type === "volume" && source) missing("volume", source, at("volumes", `[${index}]`), project.volumes);
    if (type === "bind" && !source) complain(at("volumes", `[${index}]`), "a bind needs a source");
  }
  for (const [index, { source = "" }] of (service.configs ?? []).entries())
    missing("config", source, at("configs", `[${index}]`), project.configs);
  for (const [index, { source = "" }] of (service.secrets ?? []).entries())
    missing("secret", source, at("secrets", `[${index}]`), project.secrets);
  for (const [index, { source = "" }] of (service.build?.secrets ?? []).entries())
    missing("build secret", source, at("build", "secrets", `[${index}]`), project.secrets);
  for (const [context, value] of Object.entries(service.build?.additional_contexts ?? {})) {
    const other = /^service:(.+)$/.exec(value)?.[1];
    if (other !== undefined)
      missing("service", other, at("build", "additional_contexts", context), {
        ...project.inactive,
        ...project.services,
      });
  }
  for (const [other, { required }] of Object.entries(service.depends_on ?? {})) {
    if (other in project.services || (other in project.inactive && required === false)) continue;
    const why = other in project.inactive ? `: its profile is not active` : "";
    complain(
      at("depends_on"),
      `service "${name}" depends on undefined service "${other}"${why}`,
      declared("service", project.services),
    );
  }
}

function declared(kind: string, known: object): string {
  const names = Object.keys(known);
  if (names.length === 0) return `No ${kind} is declared: add it under ${kind === "build secret" ? "secret" : kind}s:`;
  return `Declared: ${names.join(", ")}`;
}

function checkLimits(name: string, service: Service, complain: Complain): void {
  const { deploy } = service;
  const limits = deploy?.resources?.limits;
  const pairs = [
    ["scale", service.scale, "deploy.replicas", deploy?.replicas],
    ["cpus", service.cpus, "deploy.resources.limits.cpus", limits && (limits.cpus ?? 0)],
    ["mem_limit", service.mem_limit, "deploy.resources.limits.memory", limits && (limits.memory ?? 0)],
    ["pids_limit", service.pids_limit, "deploy.resources.limits.pids", limits && (limits.pids ?? 0)],
    [
      "mem_reservation",
      service.mem_reservation,
      "deploy.resources.reservations.memory",
      deploy?.resources?.reservations && (deploy.resources.reservations.memory ?? 0),
    ],
  ] as const;
  for (const [old, before, now, after] of pairs)
    if (before !== undefined && (before !== 0 || old === "scale") && after !== undefined && before !== after)
      complain(["services", name, old], `can't set distinct values on '${old}' and '${now}'`);
}

function checkFiles(project: Project, complain: Complain): void {
  for (const [kind, all] of [
    ["secrets", project.secrets],
    ["configs", project.configs],
  ] as const) {
    for (const [name, { file, environment, content, external, driver }] of Object.entries(all)) {
      const given = Object.entries({ file, environment, content }).filter(([, value]) => value !== undefined);
      if (given.length > 1) complain([kind, name], `${given.map(([key]) => key).join(" and ")} are mutually exclusive`);
      if (given.length === 0 && !external && driver === undefined)
        complain([kind, name], "one of file, environment or content must be set, or external: true");
    }
  }
}

/** Two services that publish the same port of the host can't both start. */
function checkPortClashes(project: Project, complain: Complain): void {
  const taken = new Map<string, { name: string; hostIp: string }[]>();
  for (const [name, service] of Object.entries(project.services)) {
    for (const [index, port] of (service.ports ?? []).entries()) {
      if (!port.published || !/^\d+$/.test(port.published)) continue;
      const key = `${port.published}/${port.protocol ?? "tcp"}`;
      const hostIp = port.host_ip ?? "";
      const clash = (taken.get(key) ?? []).find((other) => other.name !== name && overlap(other.hostIp, hostIp));
      if (clash)
        complain(
          ["services", name, "ports", `[${index}]`],
          `port ${key} of the host is published by service "${clash.name}" already`,
        );
      taken.set(key, [...(taken.get(key) ?? []), { name, hostIp }]);
    }
  }
}

function overlap(a: string, b: string): boolean {
  const isAny = (ip: string) => ip === "" || ip === "0.0.0.0" || ip === "::";
  return isAny(a) || isAny(b) || a === b;
}

function checkCycles(project: Project, complain: Complain): void {
  const done = new Set<string>();
  const visit = (name: string, trail: readonly string[]): void => {
    const start = trail.indexOf(name);
    if (start >= 0) {
      const circle = [...trail.slice(start), name];
      complain(["services", name, "depends_on"], `dependency cycle detected: ${circle.join(" -> ")}`);
    }
    if (done.has(name)) return;
    for (const other of Object.keys(project.services[name]?.depends_on ?? {})) visit(other, [...trail, name]);
    done.add(name);
  };
  for (const name of Object.keys(project.services)) visit(name, []);
}
