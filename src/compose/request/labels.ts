import { VERSION } from "../../base/mod.ts";
import type { Project } from "../load/model.ts";
import { configHash } from "../render/project.ts";
import type { Service } from "../schema/service.ts";

/** What marks a project's things; docker compose's names, so that each finds what the other made. */
export const LABEL = {
  project: "com.docker.compose.project",
  workingDir: "com.docker.compose.project.working_dir",
  configFiles: "com.docker.compose.project.config_files",
  service: "com.docker.compose.service",
  number: "com.docker.compose.container-number",
  oneOff: "com.docker.compose.oneoff",
  hash: "com.docker.compose.config-hash",
  image: "com.docker.compose.image",
  dependsOn: "com.docker.compose.depends_on",
  network: "com.docker.compose.network",
  volume: "com.docker.compose.volume",
  version: "com.docker.compose.version",
  slug: "com.docker.compose.slug",
  replace: "com.docker.compose.replace",
  /** Havre's: the engine publishes no ports of this container while the one with this id has them. */
  portsFrom: "havre.ports.from",
  profile: "havre.profile",
  grants: "havre.grants",
} as const;

export type Labels = Readonly<Record<string, string>>;

export interface ContainerIdentity {
  readonly project: Project;
  /** Name in the file. */
  readonly name: string;
  /** With its references to other services' containers resolved: they are part of its hash. */
  readonly service: Service;
  readonly number: number;
  readonly imageId: string;
}

export function containerLabels({ project, name, service, number, imageId }: ContainerIdentity): Labels {
  return {
    ...service.labels,
    ...policyLabels(project, service),
    ...projectLabels(project),
    [LABEL.service]: name,
    [LABEL.number]: String(number),
    [LABEL.oneOff]: "False",
    [LABEL.hash]: configHash(service),
    [LABEL.image]: imageId,
    [LABEL.dependsOn]: dependencies(service),
    [LABEL.workingDir]: project.directory,
    [LABEL.configFiles]: project.files.join(","),
  };
}

/**
 * The profile that a service's containers are under, and what they are granted beyond it, as the engine takes them. What
 * says the profile: the service's `x-havre` or label, the file's `x-havre`, `HAVRE_PROFILE` of the environment, or else
 * it is `hardened`.
 */
export function policyLabels(
  { extensions, environment }: Pick<Project, "extensions" | "environment">,
  { labels = {}, "x-havre": policy = {} }: Service,
): Labels {
  const { grants = [], egress = [] } = policy;
  const ofFile = (extensions["x-havre"] as { readonly profile?: unknown } | undefined)?.profile;
  const asked = [policy.profile, labels[LABEL.profile], ofFile, environment.get("HAVRE_PROFILE")];
  const words = [...(labels[LABEL.grants]?.split(/[\s,]+/) ?? []), ...grants, ...egress.map((one) => `egress:${one}`)];
  const told = words.filter((word) => word !== "").join(" ");
  return {
    [LABEL.profile]: String(asked.find(Boolean) ?? "hardened"),
    ...(told === "" ? {} : { [LABEL.grants]: told }),
  };
}

/** Whether two containers' labels ask for the same profile and grants. Who asks for no profile asks for Docker's. */
export function sameProfile(a: Labels, b: Labels): boolean {
  const asked = (labels: Labels) => [labels[LABEL.profile] || "docker", labels[LABEL.grants] ?? ""].join(" ");
  return asked(a) === asked(b);
}

export function projectLabels({ name }: Pick<Project, "name">): Labels {
  return { [LABEL.project]: name, [LABEL.version]: VERSION };
}

/** `db:service_healthy:false`, by which a project is known in order even without its files. */
function dependencies({ depends_on = {} }: Service): string {
  return Object.entries(depends_on)
    .map(([name, { condition = "service_started", restart = false }]) => `${name}:${condition}:${restart}`)
    .join(",");
}

/** The services that a container's labels say it depends on. */
export function parseDependencies(labels: Labels): { name: string; condition: string; restart: boolean }[] {
  const words = (labels[LABEL.dependsOn] ?? "").split(",").filter((word) => word !== "");
  return words.map((word) => {
    const [name = "", condition = "service_started", restart] = word.split(":");
    return { name, condition, restart: restart === "true" };
  });
}
