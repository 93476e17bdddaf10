import type { FileObject, Network, ProjectFile, Volume } from "../schema/project.ts";
import type { Service } from "../schema/service.ts";
import type { Environment } from "./environment.ts";

/** What a project's files say, in long form, with every name, path and default in place. */
export interface Project {
  readonly name: string;
  /** Absolute folder that relative paths are meant from. */
  readonly directory: string;
  /** Absolute paths; `-` is standard input. */
  readonly files: readonly string[];
  readonly environment: Environment;
  readonly profiles: readonly string[];
  /** Those whose profiles are active. */
  readonly services: Readonly<Record<string, Service>>;
  readonly inactive: Readonly<Record<string, Service>>;
  readonly networks: Readonly<Record<string, Network>>;
  readonly volumes: Readonly<Record<string, Volume>>;
  readonly secrets: Readonly<Record<string, FileObject>>;
  readonly configs: Readonly<Record<string, FileObject>>;
  readonly models: NonNullable<ProjectFile["models"]>;
  /** Top-level `x-` keys. */
  readonly extensions: Readonly<Record<string, unknown>>;
}
