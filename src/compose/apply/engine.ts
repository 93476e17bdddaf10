import type { Observed } from "../plan/observed.ts";
import type { Change } from "../plan/step.ts";
import type { Body } from "../request/container.ts";
import type { Service } from "../schema/service.ts";

/** What a container does, as far as somebody waits for it. */
export interface ContainerCondition {
  readonly name: string;
  readonly status: string;
  readonly exitCode: number;
  readonly health?: {
    readonly status: string;
    readonly failingStreak: number;
    /** What the last check said. */
    readonly lastOutput: string;
  };
}

/** A command run in a container by a hook. */
export type Hook = NonNullable<Service["post_start"]>[number];

/** Shows how far something long has come. */
export type OnDetail = (detail: string) => void;

/** Makes and changes containers, networks and volumes; what Compose needs of an engine. */
export interface Engine {
  /** Everything with the project's label, and the named networks, volumes and images. */
  observe(project: string, named: NamedResources): Promise<Observed>;
  imageId(image: string): Promise<string | undefined>;
  createNetwork(name: string, body: Body): Promise<void>;
  removeNetwork(id: string): Promise<void>;
  createVolume(name: string, body: Body): Promise<void>;
  removeVolume(name: string): Promise<void>;
  removeImage(name: string): Promise<void>;
  /** Id of the new container. */
  createContainer(name: string, body: Body, platform: string): Promise<string>;
  startContainer(id: string): Promise<void>;
  /** Seconds until it is killed; undefined: as the container says. */
  stopContainer(id: string, timeout: number | undefined): Promise<void>;
  /** Runs or not. */
  removeContainer(id: string, volumes: boolean): Promise<void>;
  renameContainer(id: string, name: string): Promise<void>;
  /** `timeout` of a restart in seconds, `signal` of a kill. */
  changeContainer(
    id: string,
    change: Change,
    more: { timeout?: number | undefined; signal?: string | undefined },
  ): Promise<void>;
  /** Host ports go from one running container to another at one moment; then connections to the first are waited for. */
  takePorts(id: string, from: string, drainSeconds: number): Promise<void>;
  condition(id: string): Promise<ContainerCondition>;
  /** Exit code, once it ends. */
  wait(id: string, signal: AbortSignal): Promise<number>;
  /** Something happened to one of these; ends with the signal. */
  changes(ids: readonly string[], signal: AbortSignal): AsyncIterable<void>;
  /** Exit code and output of a command in a container. */
  exec(id: string, hook: Hook): Promise<{ readonly exitCode: number; readonly output: string }>;
  /** Puts a file into a container that does not run yet. */
  putFile(id: string, file: PlacedFile): Promise<void>;
}

export interface NamedResources {
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
}

export interface PlacedFile {
  readonly path: string;
  readonly content: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Makes and fetches images. */
export interface ImageMaker {
  pull(image: string, platform: string, onDetail: OnDetail): Promise<void>;
  build(name: string, image: string, service: Service, onDetail: OnDetail, signal: AbortSignal): Promise<void>;
}
