import { LABEL, type Labels } from "../request/labels.ts";
import type { Inherited } from "../request/mounts.ts";

/** A container of a project as it was found. */
export interface ContainerState {
  readonly id: string;
  readonly name: string;
  /** `running`, `exited`, `created`, `paused`, `restarting`, `removing`, `dead`. */
  readonly state: string;
  readonly imageId: string;
  readonly labels: Labels;
  readonly mounts: readonly { readonly type: string; readonly name: string; readonly target: string }[];
}

/** What is there of a project. */
export interface Observed {
  readonly containers: readonly ContainerState[];
  /** By name: networks of the project, and external ones that were asked for. */
  readonly networks: ReadonlyMap<string, { readonly id: string; readonly labels: Labels }>;
  readonly volumes: ReadonlyMap<string, { readonly labels: Labels }>;
  /** Ids by the names that services use. */
  readonly images: ReadonlyMap<string, string>;
}

export function serviceOf(container: ContainerState): string {
  return container.labels[LABEL.service] ?? "";
}

export function numberOf(container: ContainerState): number {
  return Number(container.labels[LABEL.number] ?? 0);
}

/** Made by `run`, not by `up`. */
export function isOneOff(container: ContainerState): boolean {
  return container.labels[LABEL.oneOff] === "True";
}

export function isRunning({ state }: ContainerState): boolean {
  return state === "running" || state === "restarting";
}

const ANONYMOUS = /^[0-9a-f]{64}$/;

/** The anonymous volumes a container leaves to the one that replaces it. */
export function anonymousVolumes({ mounts }: ContainerState): Inherited[] {
  return mounts
    .filter(({ type, name }) => type === "volume" && ANONYMOUS.test(name))
    .map(({ name, target }) => ({ target, volume: name }));
}
