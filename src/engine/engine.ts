import type { Timeline } from "../base/mod.ts";
import type { Difference, ImageEvent } from "../images/mod.ts";
import type { Networks, PortReach } from "../networks/mod.ts";
import type { CgroupStats, InterfaceCounters, OutputChunk } from "../runtime/mod.ts";
import type { FileChange, Usage } from "../snapshots/mod.ts";
import type { ContainerCreateRequest, EndpointRequest, HostConfig, Resources, RestartPolicy } from "../spec/mod.ts";
import type { Container } from "./container.ts";

/**
 * The use-cases of one host, as the API adapts them. `ref` is always an id, an unambiguous id prefix, or a name with or
 * without its slash. Every method throws HavreError; Docker's own texts where Docker has one.
 */
export interface Containers {
  /** `conflict` for a name in use, `not-found` (hint: pull) for an image that is not here, `invalid-argument` naming the field. */
  create(
    request: ContainerCreateRequest,
    options: CreateOptions,
  ): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  /** `not-modified` when it runs already. */
  start(ref: string, options?: StartOptions): Promise<void>;
  /** `timeout` seconds, -1: forever; undefined: the container's own. `not-modified` when it is stopped already. */
  stop(ref: string, options: StopOptions): Promise<void>;
  restart(ref: string, options: StopOptions): Promise<void>;
  /** Signal by name or number, default KILL. `conflict` when it does not run. */
  kill(ref: string, signal?: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  update(ref: string, change: UpdateRequest): Promise<{ readonly warnings: readonly string[] }>;
  /** Resolves at once with a promise of the end: the caller answers headers before it waits. */
  wait(ref: string, condition: WaitCondition, signal?: AbortSignal): Promise<{ readonly exit: Promise<WaitResult> }>;
  remove(ref: string, options: RemoveOptions): Promise<void>;
  prune(filters: PruneFilters): Promise<{ readonly removed: readonly string[]; readonly reclaimed: number }>;
  /** `not-found` with Docker's text, `invalid-argument` when a prefix is ambiguous. */
  get(ref: string): Container;
  list(): readonly Container[];
  usage(ref: string): Promise<{ readonly writable: Usage; readonly rootSize: number }>;
}

export interface CreateOptions {
  readonly name?: string;
  readonly platform?: string;
}
export interface StartOptions {
  /** Filled with where the time went. */
  readonly timeline?: Timeline;
}
export interface RemoveOptions {
  /** A running one is killed first. */
  readonly force: boolean;
  /** The volumes made for it alone go too. */
  readonly volumes?: boolean;
  /** Only the link that `ref` names. */
  readonly link?: boolean;
}
export interface StopOptions {
  readonly signal?: string;
  readonly timeout?: number;
}
export type WaitCondition = "not-running" | "next-exit" | "removed";
export interface WaitResult {
  readonly code: number;
  readonly error?: string;
}
/** Only what is present changes. */
export type UpdateRequest = Partial<Resources> & {
  readonly RestartPolicy?: RestartPolicy;
  /** Beyond Docker: replaces the labels. */
  readonly Labels?: Readonly<Record<string, string>>;
};
export interface PruneFilters {
  /** Milliseconds since the epoch: only those created before. */
  readonly until?: number;
  /** `key` or `key=value`, all must fit; a leading `!` negates. */
  readonly labels: readonly string[];
}

/** Networks, and containers on them. `ref` is a name, an id or an unambiguous id prefix. */
export interface NetworkManagement extends Pick<Networks, "list" | "get" | "create"> {
  /** As `Networks.remove`. */
  remove(ref: string): Promise<void>;
  /** Names of the networks removed: those of users that no container is on. */
  prune(filters: PruneFilters): Promise<readonly string[]>;
  /** Now when the container runs, else with its next start. `permission-denied` where it cannot be, `invalid-argument` for bad addresses. */
  connect(ref: string, container: string, request: EndpointRequest): Promise<void>;
  /** `permission-denied` when it is not connected. */
  disconnect(ref: string, container: string, force: boolean): Promise<void>;
}

/** A host port of a container, as people name it. */
export interface PortName {
  /** undefined: whatever address it is published on. */
  readonly address: string | undefined;
  readonly port: number;
  readonly protocol: string;
}

export interface PortChange {
  /** As `HostConfig.PortBindings`: what is to be published beside what is. */
  readonly publish: HostConfig["PortBindings"];
  readonly unpublish: readonly PortName[];
  /** Container ports (`80/tcp`) among the new ones that are reached from outside whatever the host's firewall says. */
  readonly open: readonly string[];
}

/** What containers publish, changed while they run. */
export interface PortManagement {
  /** All of it or nothing. `not-found` for a port that is not published, `failed-precondition` for one that cannot be had. */
  change(ref: string, change: PortChange): Promise<Container>;
  /**
   * A running container gets the host ports it asks for from another that has them, at one moment; then the other's
   * connections are waited for, as long as `drainSeconds`. `conflict` when it does not run.
   */
  takeOver(ref: string, from: string, drainSeconds: number, signal?: AbortSignal): Promise<Container>;
  /** Who reaches what a running container has published. */
  reach(ref: string): Promise<readonly PortReach[]>;
}

/** A live session on a process's streams: what hijacked attach and exec connections are made of. */
export interface StreamSession extends AsyncDisposable {
  readonly terminal: boolean;
  /** Output in order; ends when the process is gone or the session was detached. */
  readonly output: AsyncIterable<OutputChunk>;
  /** Input from the client. Detach keys are found here; resolves when more may come. */
  write(data: Uint8Array): Promise<void>;
  /** Client's half-close. */
  endInput(): void;
}

export interface Streams {
  attach(ref: string, options: AttachOptions, signal?: AbortSignal): Promise<StreamSession>;
  logs(
    ref: string,
    options: LogOptions,
    signal?: AbortSignal,
  ): Promise<{ readonly terminal: boolean; readonly output: AsyncIterable<OutputChunk> }>;
  /** Rows and columns. */
  resize(ref: string, height: number, width: number): Promise<void>;
}
export interface AttachOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Replay what was logged so far first. */
  readonly logs: boolean;
  readonly stream: boolean;
  readonly detachKeys?: string;
}
export interface LogOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly timestamps: boolean;
  /** Milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  /** Lines from the end; undefined: all. */
  readonly tail?: number;
  readonly details?: boolean;
}

export interface ExecConfig {
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly Tty: boolean;
  readonly Cmd: readonly string[];
  readonly Env: readonly string[];
  readonly User: string;
  readonly WorkingDir: string;
  readonly Privileged: boolean;
  readonly DetachKeys: string;
  readonly ConsoleSize?: readonly [number, number];
}
export interface ExecState {
  readonly id: string;
  readonly containerId: string;
  readonly config: ExecConfig;
  readonly running: boolean;
  readonly exitCode: number | undefined;
  readonly pid: number;
}
export interface Execs {
  create(ref: string, config: ExecConfig): Promise<string>;
  /** Attached: a session; detached: undefined once the process is started. */
  start(
    execId: string,
    options: { readonly detach: boolean; readonly terminal: boolean; readonly consoleSize?: readonly [number, number] },
  ): Promise<StreamSession | undefined>;
  resize(execId: string, height: number, width: number): Promise<void>;
  inspect(execId: string): ExecState;
}

/** Docker's event actions (`docker events`). */
export interface EngineEvent {
  readonly type: "container" | "image" | "network" | "volume" | "daemon";
  readonly action: string;
  readonly actor: { readonly id: string; readonly attributes: Readonly<Record<string, string>> };
  /** Milliseconds since the epoch, fractional. */
  readonly at: number;
}
export interface Events {
  emit(event: Omit<EngineEvent, "at">): void;
  emitImage(event: ImageEvent): void;
  /** Past events since `since` still remembered, then live ones until `until` or abort. */
  subscribe(
    options: { readonly since?: number; readonly until?: number },
    signal?: AbortSignal,
  ): AsyncIterable<EngineEvent>;
}

/** One path inside a container, as `X-Docker-Container-Path-Stat` tells it. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode bits. */
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}
export interface Archives {
  stat(ref: string, path: string): Promise<PathStat>;
  get(ref: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }>;
  put(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: { readonly noOverwriteDirNonDir: boolean; readonly copyUidGid: boolean },
  ): Promise<void>;
  export(ref: string): Promise<AsyncIterable<Uint8Array>>;
  changes(ref: string): Promise<readonly FileChange[]>;
}

/** Logs that outlive their container for a while. */
export interface RemovedLogReader {
  /** Of the newest removed container of this name or id. `not-found`. `follow` has no effect. */
  read(
    nameOrId: string,
    options: LogOptions,
    signal?: AbortSignal,
  ): Promise<{ readonly terminal: boolean; readonly output: AsyncIterable<OutputChunk> }>;
}

/** What differs between any two of images and containers. */
export interface Comparisons {
  /** `not-found` when a name is neither's. */
  compare(before: string, after: string, signal?: AbortSignal): Promise<Difference>;
}

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}
/** What runs inside a container and what it uses. */
export interface Observation {
  top(ref: string, psArguments: string): Promise<ProcessTable>;
  /** A sample a second while the container runs; one zero sample when it does not. */
  stats(
    ref: string,
    options: { readonly stream: boolean; readonly oneShot: boolean },
    signal?: AbortSignal,
  ): AsyncIterable<StatsSample>;
  /** All that run, or all there are, at once and then every so many milliseconds. */
  overviews(
    options: { readonly all: boolean; readonly every: number },
    signal?: AbortSignal,
  ): AsyncIterable<HostOverview>;
}

/** One look at everything on a host. */
export interface HostOverview {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cpus: number;
  /** Bytes that the host has. */
  readonly memory: number;
  /** How many containers do not run, listed or not. */
  readonly stopped: number;
  readonly containers: readonly { readonly container: Container; readonly usage: ContainerUsage | undefined }[];
}
/** What a container's processes have used since it was started, and use now. Bytes, unless said otherwise. */
export interface ContainerUsage {
  /** Nanoseconds. */
  readonly cpu: number;
  /** Without cache that can be dropped at once. */
  readonly memory: number;
  readonly memoryLimit: number | undefined;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly processes: number;
}
export interface StatsSample {
  readonly containerId: string;
  readonly name: string;
  /** Milliseconds since the epoch; undefined: the container does not run. */
  readonly read: number | undefined;
  readonly previousRead: number | undefined;
  readonly current: CgroupStats | undefined;
  readonly previous: CgroupStats | undefined;
  readonly networks: Readonly<Record<string, InterfaceCounters>>;
  readonly onlineCpus: number;
  readonly systemCpuUsage: number;
  readonly previousSystemCpuUsage: number;
}
