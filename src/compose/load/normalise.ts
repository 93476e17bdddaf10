import { posix } from "node:path";
import type { FileObject, Network, ProjectFile, Volume } from "../schema/project.ts";
import type { Service } from "../schema/service.ts";
import type { Environment } from "./environment.ts";

type Dependencies = NonNullable<Service["depends_on"]>;
const NAMESPACES = ["network_mode", "ipc", "pid", "uts"] as const;

/** Puts in what a service's file leaves to be understood: its network, its build's defaults, dependencies by use. */
export function normaliseService(service: Service, outer: Environment): Service {
  const { build, networks, network_mode, pull_policy, secrets, volumes, ...rest } = service;
  const dependencies = impliedDependencies(service);
  return {
    ...rest,
    ...(network_mode === undefined ? { networks: networks ?? { default: null as never } } : { network_mode }),
    ...(network_mode !== undefined && networks ? { networks } : {}),
    ...(pull_policy === undefined ? {} : { pull_policy: pull_policy === "if_not_present" ? "missing" : pull_policy }),
    ...(volumes ? { volumes: volumes.map((mount) => ({ ...mount, target: cleanPath(mount.target) })) } : {}),
    ...(build ? { build: normaliseBuild(build, outer) } : {}),
    ...(secrets
      ? { secrets: secrets.map((use) => ({ ...use, target: use.target ?? `/run/secrets/${use.source}` })) }
      : {}),
    ...(Object.keys(dependencies).length > 0 ? { depends_on: dependencies } : {}),
  };
}

function cleanPath(path = ""): string {
  return posix.normalize(path).replace(/(.)\/$/, "$1");
}

type Build = NonNullable<Service["build"]>;

function normaliseBuild(build: Build, outer: Environment): Build {
  const args = Object.entries(build.args ?? {}).flatMap(([name, value]): [string, string][] => {
    const given = value ?? outer.get(name);
    return given === undefined ? [] : [[name, given]];
  });
  const hasFile = build.dockerfile !== undefined || build.dockerfile_inline !== undefined;
  return {
    ...build,
    ...(hasFile ? {} : { dockerfile: "Dockerfile" }),
    ...(build.args ? { args: Object.fromEntries(args) } : {}),
  };
}

function impliedDependencies(service: Service): Dependencies {
  const dependencies: Record<string, Dependencies[string]> = { ...service.depends_on };
  const imply = (name: string, restart: boolean) => {
    dependencies[name] ??= { condition: "service_started", restart, required: true };
  };
  for (const link of service.links ?? []) imply(link.split(":")[0] ?? "", true);
  for (const namespace of NAMESPACES) {
    const shared = service[namespace];
    if (shared?.startsWith("service:")) imply(shared.slice("service:".length), true);
  }
  for (const from of service.volumes_from ?? [])
    if (!from.startsWith("container:")) imply(from.split(":")[0] ?? "", false);
  return dependencies;
}

/** Things have the name they are given, or one made of the project's and theirs; external ones have just theirs. */
export function nameResources<T extends Network | Volume | FileObject>(
  given: Readonly<Record<string, T | null>> | undefined,
  project: string,
): Readonly<Record<string, T>> {
  const named = Object.entries(given ?? {}).map(([key, value]) => {
    const name = value?.name ?? (value?.external ? key : `${project}_${key}`);
    return [key, { ...value, name }] as const;
  });
  return Object.fromEntries(named) as Readonly<Record<string, T>>;
}

/** There is always a default network. */
export function withDefaultNetwork(networks: ProjectFile["networks"]): NonNullable<ProjectFile["networks"]> {
  return networks && "default" in networks ? networks : { ...networks, default: {} };
}
