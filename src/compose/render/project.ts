import type { Project } from "../load/model.ts";
import { project as projectShape } from "../schema/project.ts";
import { type Service, service as serviceShape } from "../schema/service.ts";
import { canonical, compareBytes, type Printable, type PrintableMapping, sorted } from "./canonical.ts";
import { printJson } from "./json.ts";
import { printYaml } from "./yaml.ts";

/** The canonical form of a project, as `docker compose config` prints it; a dollar sign is written `$$`. */
export function renderProject(project: Project, format: "yaml" | "json"): string {
  const used = withoutUnused(project);
  const { name, services, networks, volumes, secrets, configs, models, extensions } = used;
  const plain = { name, services, networks, volumes, secrets, configs, models, ...extensions };
  const printable = canonical(plain, projectShape, format) as PrintableMapping;
  if (format === "yaml") return printYaml(printable).replaceAll("$", "$$$$");
  const all = [
    ...printable,
    ...Object.entries(extensions).map(([key, value]) => [key, sorted(value, format)] as const),
  ];
  const inOrder = new Map(all.filter(([, value]) => !isEmpty(value)).sort(([a], [b]) => compareBytes(a, b)));
  return printJson(inOrder, 2).replaceAll("$", "$$$$");
}

const isEmpty = (value: Printable): boolean => value instanceof Map && value.size === 0;

/** Leaves out networks, volumes, secrets and configs that no active service uses. */
export function withoutUnused(project: Project): Project {
  const services = Object.values(project.services);
  const keep = <T>(all: Readonly<Record<string, T>>, used: readonly (string | undefined)[]) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => used.includes(key)));
  return {
    ...project,
    networks: keep(
      project.networks,
      services.flatMap((service) => Object.keys(service.networks ?? {})),
    ),
    volumes: keep(
      project.volumes,
      services.flatMap(({ volumes = [] }) =>
        volumes.filter(({ type }) => type === "volume").map(({ source }) => source),
      ),
    ),
    secrets: keep(
      project.secrets,
      services.flatMap(({ secrets = [], build }) =>
        [...secrets, ...(build?.secrets ?? [])].map(({ source }) => source),
      ),
    ),
    configs: keep(
      project.configs,
      services.flatMap(({ configs = [] }) => configs.map(({ source }) => source)),
    ),
  };
}

/**
 * The hash by which a container is seen to be of this configuration or of another: docker compose's own (2.26), so that
 * either takes over what the other made. How an image comes about and how many containers there are is not part of it.
 */
export function configHash(service: Service): string {
  const { build: _build, pull_policy: _policy, scale: _scale, deploy, ...rest } = service;
  const { replicas: _replicas, ...restOfDeploy } = deploy ?? {};
  const hashed = deploy ? { ...rest, deploy: restOfDeploy } : rest;
  // Bun's own: node:crypto takes longer to load than all of the hashes take.
  return new Bun.CryptoHasher("sha256").update(printJson(canonical(hashed, serviceShape, "json"))).digest("hex");
}
