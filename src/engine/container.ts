import type { Digest } from "../base/mod.ts";
import { type Endpoint, endpointOfOneNetwork, type PublishedPort } from "../networks/mod.ts";
import type { Grant, Profile } from "../policy/mod.ts";
import type { ProcessIdentity } from "../runtime/mod.ts";
import type { ContainerConfig, EndpointRequest, HostConfig } from "../spec/mod.ts";
import { defineKind, type Upgrade } from "../store/mod.ts";

/** A mount as resolved when the container was created. */
export interface MountPoint {
  readonly type: "bind" | "volume" | "tmpfs";
  /** Volume name. */
  readonly name?: string;
  readonly source: string;
  readonly destination: string;
  readonly driver?: string;
  /** The mode words as given (`ro,z`). */
  readonly mode: string;
  readonly writable: boolean;
  readonly propagation: string;
  /** A volume made for this container alone: goes with it when asked. */
  readonly anonymous?: true;
  /** A volume that is not filled from the image. */
  readonly noCopy?: true;
  /** The file or folder of the volume that is mounted, relative to its top. */
  readonly subpath?: string;
}

/** Another container under a name of this one's choosing. */
export interface ContainerLink {
  readonly containerId: string;
  readonly alias: string;
}

/** What the user asked; written by create, rename and update only, never by observation. */
export interface ContainerSpec {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  readonly imageId: Digest | undefined;
  /** Topmost chain id of the image: what the writable layer stands on. */
  readonly chainId: Digest | undefined;
  readonly mounts: readonly MountPoint[];
  readonly links?: readonly ContainerLink[];
  readonly platform: string;
  /** Absent: as Docker's containers are. */
  readonly policy?: ContainerPolicy;
}

/** Under which profile a container is, and what it was granted beyond it. */
export interface ContainerPolicy {
  readonly profile: Profile;
  readonly grants: readonly { readonly grant: Grant; readonly by: string }[];
  /** Its root is read-only by the profile alone: for its processes, not for who copies files into it. */
  readonly locksRoot?: true;
}

/** `removing`: the name is free and files are going; finished by the next daemon if this one dies. */
export type ContainerState = "created" | "running" | "paused" | "restarting" | "exited" | "removing" | "dead";

export interface HealthProbe {
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly exitCode: number;
  readonly output: string;
}
export interface Health {
  readonly status: "none" | "starting" | "healthy" | "unhealthy";
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly HealthProbe[];
}

/** What was observed; one writer: the engine's lifecycle. Times in milliseconds since the epoch. */
export interface ContainerStatus {
  readonly state: ContainerState;
  readonly init?: ProcessIdentity;
  readonly supervisor?: ProcessIdentity;
  readonly exitCode: number;
  /** Why the last start failed. */
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly restartCount: number;
  /** The user stopped it: no restart policy applies until the next start. */
  readonly stoppedByUser: boolean;
  readonly health?: Health;
  readonly endpoints: readonly Endpoint[];
  /** Ids of the networks it has been on since it asks for them, by name. */
  readonly networkIds?: Readonly<Record<string, string>>;
  /** Of one that runs. */
  readonly ports?: readonly PublishedPort[];
  readonly namespacePath?: string;
}

export interface Container {
  readonly id: string;
  /** Without the leading slash; unique. */
  readonly name: string;
  readonly created: number;
  readonly spec: ContainerSpec;
  readonly status: ContainerStatus;
}

/** Names of the volumes among a container's mounts, each once. */
export function volumesOf({ spec }: Pick<Container, "spec">): readonly string[] {
  return [...new Set(spec.mounts.flatMap(({ type, name }) => (type === "volume" && name !== undefined ? [name] : [])))];
}

/** Names of the volumes made for a container alone, or shared with it by such a one. */
export function anonymousVolumes({ mounts }: Pick<ContainerSpec, "mounts">): readonly string[] {
  return mounts.flatMap(({ name, anonymous }) => (anonymous && name !== undefined ? [name] : []));
}

/** Endpoints had IPv4 alone. */
const endpointsOfOneFamily: Upgrade = (container) => {
  const status = container.status as { readonly endpoints: readonly Parameters<Upgrade>[0][] };
  const endpoints = status.endpoints.map((endpoint) => ({
    ...endpointOfOneNetwork(endpoint),
    ipv6PrefixLength: endpoint.ipv6PrefixLength ?? 0,
    ipv6Gateway: endpoint.ipv6Gateway ?? "",
  }));
  return { ...container, status: { ...status, endpoints } };
};

export const containerKind = defineKind<Container>(
  "container",
  {
    // A container on its way out has given up its name.
    name: { unique: true, values: (container) => (container.status.state === "removing" ? [] : [container.name]) },
    image: { unique: false, values: ({ spec }) => (spec.imageId === undefined ? [] : [spec.imageId]) },
    // One on its way out has nothing mounted any more.
    volume: {
      unique: false,
      values: (container) => (container.status.state === "removing" ? [] : volumesOf(container)),
    },
  },
  [endpointsOfOneFamily],
);
