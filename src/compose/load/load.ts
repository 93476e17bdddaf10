import { basename, dirname, resolve } from "node:path";
import { HavreError } from "../../base/mod.ts";
import { type FileObject, type Network, project as projectShape, type Volume } from "../schema/project.ts";
import type { Service } from "../schema/service.ts";
import { toPlain } from "../shape/plain.ts";
import { missingKeys } from "../shape/read.ts";
import type { Unset } from "../source/interpolate.ts";
import { child, isList, isMapping, type Node, type Path } from "../source/node.ts";
import { fail, problemError } from "../source/problem.ts";
import { substitute, type TemplateVariable, templateVariables } from "../source/template.ts";
import { checkConsistency } from "./consistency.ts";
import { parseFile, type Reading, readFiles } from "./documents.ts";
import {
  defaultEnvFile,
  type Environment,
  outerEnvironment,
  serviceEnvironment,
  serviceLabels,
  withEnvFiles,
} from "./environment.ts";
import { findFiles } from "./files.ts";
import type { Project } from "./model.ts";
import { nameResources, normaliseService, withDefaultNetwork } from "./normalise.ts";
import { localPath } from "./remote.ts";

/** What a command line says of the project it means. */
export interface LoadOptions {
  /** `-f`; none: those of the nearest folder upwards. */
  readonly files: readonly string[];
  readonly projectDirectory: string;
  readonly projectName: string;
  readonly envFiles: readonly string[];
  readonly profiles: readonly string[];
  readonly workingFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdin: () => string;
  readonly warn: (message: string) => void;
  readonly interpolates?: boolean;
  readonly resolvesPaths?: boolean;
  readonly checks?: boolean;
  /** false: defaults are not put in, things get no names. */
  readonly normalises?: boolean;
  /** Copies of files elsewhere, by address; one that is missing here is asked for by `RemoteFileNeeded`. */
  readonly remoteFiles?: ReadonlyMap<string, string>;
}

/** Where a project's files are, and what surrounds them. */
export interface Located {
  readonly files: readonly string[];
  readonly directory: string;
  readonly environment: Environment;
}

/** Finds the project's files: `-f`, `COMPOSE_FILE`, or the nearest folder upwards. Files may be none. */
export function locate(options: LoadOptions): Located {
  const { workingFolder, warn } = options;
  const outer = outerEnvironment(options.env);
  const given = options.projectDirectory === "" ? undefined : resolve(workingFolder, options.projectDirectory);
  const first = options.files[0];
  const start =
    given ??
    (first !== undefined && first !== "-"
      ? dirname(localPath(first, workingFolder, options.remoteFiles))
      : workingFolder);
  // A project's .env may name its files, so it is looked for where the user is first.
  const early = environmentOf(options, outer, start);
  const separator = early.get("COMPOSE_PATH_SEPARATOR") || ":";
  const named = options.files.length > 0 ? options.files : (early.get("COMPOSE_FILE")?.split(separator) ?? []);
  const files =
    named.length > 0
      ? named.map((path) => (path === "-" ? path : localPath(path, workingFolder, options.remoteFiles)))
      : findFiles(given ?? workingFolder, warn);
  const main = files.find((path) => path !== "-");
  const directory = given ?? (main === undefined ? workingFolder : dirname(main));
  return { files, directory, environment: directory === start ? early : environmentOf(options, outer, directory) };
}

function environmentOf(options: LoadOptions, outer: Environment, folder: string): Environment {
  const named = options.envFiles.length > 0 ? options.envFiles : (outer.get("COMPOSE_ENV_FILES")?.split(",") ?? []);
  if (named.length > 0)
    return withEnvFiles(
      outer,
      named.filter((path) => path !== "").map((path) => resolve(options.workingFolder, path)),
    );
  if (/^(?:1|t|true)$/i.test(outer.get("COMPOSE_DISABLE_ENV_FILE") ?? "")) return outer;
  return withEnvFiles(outer, defaultEnvFile(folder));
}

/** The project a command line means. Errors say file, line and column. */
export function loadProject(options: LoadOptions): Project {
  const { files, directory, environment } = locate(options);
  if (files.length === 0)
    throw new HavreError("not-found", "no configuration file provided: not found", {
      hint: `There is no compose.yaml in ${directory} nor above it: name one with -f`,
    });
  const unset = new Set<string>();
  const reading: Reading = {
    environment,
    directory,
    interpolates: options.interpolates ?? true,
    resolvesPaths: options.resolvesPaths ?? true,
    normalises: options.normalises ?? true,
    remoteFiles: options.remoteFiles ?? new Map(),
    workingFolder: options.workingFolder,
    stdin: options.stdin,
    includedBy: [],
    onUnset: ({ name }: Unset) => {
      if (!unset.has(name)) options.warn(`The "${name}" variable is not set. Defaulting to a blank string.`);
      unset.add(name);
    },
  };
  const parsed = files.map((path) => ({ path, documents: parseFile(path, reading) }));
  const name = projectName(
    options,
    { files, directory, environment },
    parsed.flatMap(({ documents }) => documents),
  );
  const inside = new Map([["COMPOSE_PROJECT_NAME", name], ...environment]);
  const root = readFiles(parsed, { ...reading, environment: inside });
  if (!root || !isMapping(root.value) || root.value.size === 0)
    throw new HavreError("invalid-argument", "empty compose file");
  return assemble(root, { ...options, name, files, directory, environment: inside });
}

/** The variables that the project's files use, each once, by name. */
export function projectVariables(options: LoadOptions): TemplateVariable[] {
  const { files } = locate(options);
  const found = new Map<string, TemplateVariable>();
  const visit = ({ value }: Node): void => {
    if (typeof value === "string") for (const one of templateVariables(value)) found.set(one.name, one);
    else if (isList(value)) value.forEach(visit);
    else if (isMapping(value)) for (const { node } of value.values()) visit(node);
  };
  for (const path of files) for (const document of parseFile(path, options)) visit(document);
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

type Settings = LoadOptions & Located & { readonly name: string };

function assemble(root: Node, settings: Settings): Project {
  const missing = missingKeys(root, projectShape);
  if (missing.length > 0) throw problemError(missing);
  const { name, files, directory, environment } = settings;
  const plain = toPlain(root, projectShape);
  const profiles = activeProfiles(settings);
  const normalises = settings.normalises ?? true;
  const all = Object.entries(plain.services ?? {}).map(
    ([key, service]) => [key, normalises ? normaliseService(service, environment) : service] as const,
  );
  const named = <T extends Network | Volume | FileObject>(given: Readonly<Record<string, T | null>> | undefined) =>
    normalises ? nameResources(given, name) : ((given ?? {}) as Readonly<Record<string, T>>);
  const isActive = (service: Service) =>
    !service.profiles?.length || profiles.includes("*") || service.profiles.some((one) => profiles.includes(one));
  const project: Project = {
    name,
    directory,
    files,
    environment,
    profiles,
    services: Object.fromEntries(
      all
        .filter(([, service]) => isActive(service))
        // Files of variables are named, not read, where variables are not put in.
        .map(([key, one]) => [key, (settings.interpolates ?? true) ? withEnvironment(one, environment) : one]),
    ),
    inactive: Object.fromEntries(all.filter(([, service]) => !isActive(service))),
    networks: named(normalises ? withDefaultNetwork(plain.networks) : plain.networks),
    volumes: named(plain.volumes),
    secrets: named(plain.secrets),
    configs: named(plain.configs),
    models: plain.models ?? {},
    extensions: Object.fromEntries(Object.entries(plain).filter(([key]) => key.startsWith("x-"))),
  };
  if (settings.checks ?? true)
    checkConsistency(project, (path, what, hint) => fail(positionOf(root, path), path, what, hint));
  return project;
}

/** Variables of services in use only: a missing file of another does no harm. */
export function withEnvironment(service: Service, outer: Environment): Service {
  const { env_file: _files, label_file: _labels, environment: _environment, labels: _own, ...rest } = service;
  const environment = serviceEnvironment(service, outer);
  const labels = serviceLabels(service);
  return { ...rest, ...(environment ? { environment } : {}), ...(labels ? { labels } : {}) };
}

function activeProfiles({ profiles, environment }: Settings): string[] {
  const fromEnvironment = (environment.get("COMPOSE_PROFILES") ?? "").split(",").map((one) => one.trim());
  return [...new Set([...profiles, ...fromEnvironment].filter((one) => one !== ""))];
}

/** The nearest place in the files to a path of the model. */
function positionOf(root: Node, path: Path): Node["at"] {
  let node = root;
  let at = root.at;
  for (const key of path) {
    const { value } = node;
    const entry = isMapping(value) ? value.get(key) : undefined;
    const next = isList(value) && /^\[\d+\]$/.test(key) ? value[Number(key.slice(1, -1))] : entry?.node;
    if (!next) break;
    at = entry?.keyAt ?? next.at;
    node = next;
  }
  return at;
}

const INVALID_NAME =
  "must consist only of lowercase alphanumeric characters, hyphens, and underscores as well as start with a letter or number";

/** `-p`, `COMPOSE_PROJECT_NAME`, the files' own `name`, or the folder's. */
export function projectName(
  options: LoadOptions,
  { directory, environment }: Located,
  documents: readonly Node[],
): string {
  const asked = options.projectName || environment.get("COMPOSE_PROJECT_NAME") || "";
  if (asked !== "") {
    if (normaliseName(asked) !== asked)
      throw new HavreError("invalid-argument", `invalid project name ${JSON.stringify(asked)}: ${INVALID_NAME}`, {
        exitStatus: 1,
      });
    return asked;
  }
  const own = documents.map((document) => child(document, "name")?.value).filter((value) => typeof value === "string");
  const written = substitute(
    own.at(-1) ?? "",
    (name) => environment.get(name),
    () => {},
  );
  const name = normaliseName(written) || normaliseName(basename(directory));
  if (name === "")
    throw new HavreError("invalid-argument", "project name must not be empty", {
      hint: "Name it with -p, or with name: in the file",
    });
  return name;
}

export function normaliseName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, "")
    .replace(/^[_-]+/, "");
}
