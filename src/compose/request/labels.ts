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
