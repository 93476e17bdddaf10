import {
  type CgroupStats,
  type InterfaceCounters,
  isSameProcess,
  type ProcessIdentity,
  signalHeard,
} from "../kernel/mod.ts";
import type { AppArmorProfile, LandlockRules } from "../policy/mod.ts";
import type { RuntimeProcess, RuntimeResources, RuntimeSpec } from "../spec/mod.ts";
import type { SharedMemory } from "./shared-memory.ts";

/** How a container's standard streams are wired; fixed when it is created. */
export interface StdioSpec {
  readonly terminal: boolean;
  /** Whether a standard input exists (else it is at end of file from the start). */
  readonly stdin: boolean;
  /** Whether standard input closes when the first attached client closes it. */
  readonly stdinOnce: boolean;
}

export interface LogSpec {
  /** File of the newest log lines (CRI form); older generations have `.1`, `.2` … behind. undefined: no log is kept. */
  readonly path?: string;
  /** Bytes at which a generation ends; 0 or less: never. */
  readonly maxSize: number;
  /** Generations kept, the one being written included; 1 unless told. */
  readonly maxFiles?: number;
}

/** A specification that is still in the making, with what is known of it: the supervisor starts meanwhile. */
export interface SpecToCome {
  /** Where the tree is mounted already, and all that will be bound from mounts of its own. */
  readonly rootfs: string;
  readonly cgroupsPath: string | undefined;
  readonly whole: Promise<RuntimeSpec>;
}

export interface CreateRequest {
  readonly id: string;
  /** Runtime name (`crun`, `runc`, or as configured with a path). */
  readonly runtime: string;
  /** Runtime to take in its place where it is missing, or cannot do what the specification asks. */
  readonly fallback?: string;
  /** Folder for config.json and the supervisor's files. Made by the caller; on a volatile or durable disk. */
  readonly bundle: string;
  readonly spec: RuntimeSpec | SpecToCome;
  readonly stdio: StdioSpec;
  readonly log: LogSpec;
  /** Rules that its processes and those of execs are started under. */
  readonly landlock?: LandlockRules;
  /** The profile that its specification names, if it was made for it: loaded before, unloaded when no container has it any more. */
  readonly apparmor?: AppArmorProfile;
  /** Memory to mount at `sharedMemoryFolder(bundle)`, for this specification and other containers to bind. */
  readonly sharedMemory?: SharedMemory;
}

export interface Created {
  readonly init: ProcessIdentity;
  readonly supervisor: ProcessIdentity;
}

export interface Exit {
  readonly id: string;
  /** Which of the container's runs ended: its init process, as `create` told it. */
  readonly init: ProcessIdentity;
  /** Docker's code: the process's own, or 128 + signal. */
  readonly code: number;
  /** Milliseconds since the epoch at which it was recorded. */
  readonly at: number;
}

/** What a runtime says of a container when asked. */
export type RuntimeStatus = "creating" | "created" | "running" | "paused" | "stopped" | "absent";

export interface Observed {
  readonly status: RuntimeStatus;
  /** Present while the container has a process. */
  readonly processes?: Created;
}

export type StreamName = "stdout" | "stderr";
export interface OutputChunk {
  readonly stream: StreamName;
  readonly data: Uint8Array;
}

/** A live connection to a process's standard streams. Output arrives in order; `closed` settles when the process is gone. */
export interface IoConnection extends AsyncDisposable {
  /** Called with each piece of output; set before any arrives. Return false to ask for a pause until `resume`. */
  onOutput(listener: (chunk: OutputChunk) => boolean): void;
  resume(): void;
  /** Writes to standard input; false: wait for `drained` before the next write. */
  write(data: Uint8Array): boolean;
  drained(): Promise<void>;
  /** Half-close: standard input ends, output goes on. */
  endInput(): void;
  readonly closed: Promise<void>;
}

export interface ExecRequest {
  readonly containerId: string;
  readonly runtime: string;
  readonly execId: string;
  /** The container's bundle folder. */
  readonly bundle: string;
  readonly process: RuntimeProcess;
  readonly stdio: { readonly terminal: boolean; readonly stdin: boolean; readonly attach: boolean };
}

export interface RunningExec {
  readonly pid: number;
  /** Absent when nothing is attached. */
  readonly io: IoConnection | undefined;
  readonly exited: Promise<number>;
  resize(height: number, width: number): void;
}

/**
 * Processes in containers through a supervisor (conmon) and an OCI runtime. Everything it starts outlives the daemon;
 * exits that happen meanwhile are found by `recover`.
 * A method's `runtime` is the one asked for; the one that a container was created with, where known, goes before it.
 * Errors: the runtime's own message as `failed-precondition` (command not found: `not-found`, not executable:
 * `permission-denied`), `unavailable` when the runtime is missing, `deadline-exceeded` when it hangs.
 */
export interface Runtime {
  /** The container process exists, set up, and waits for `start`. */
  create(request: CreateRequest): Promise<Created>;
  start(id: string, runtime: string): Promise<void>;
  /** Sends a signal to the init process, or to all processes of the container. `not-found` when it has none. */
  kill(id: string, runtime: string, signal: number, all?: boolean): Promise<void>;
  pause(id: string, runtime: string): Promise<void>;
  resume(id: string, runtime: string): Promise<void>;
  update(id: string, runtime: string, resources: RuntimeResources): Promise<void>;
  /** Removes what the runtime and supervisor keep of a container (cgroup, state folder); kills what is left when `force`. */
  delete(id: string, runtime: string, bundle: string, force?: boolean): Promise<void>;
  status(id: string, runtime: string): Promise<RuntimeStatus>;
  /**
   * What is really there, for a daemon that starts and knows nothing: the runtime's answer checked against the
   * processes themselves (a reused pid is not the container), with their identities while they live.
   */
  observe(id: string, runtime: string, bundle: string): Promise<Observed>;
  /** Connects to a created or running container's streams. Any number of clients at once. */
  attach(id: string, bundle: string, stdio: StdioSpec): Promise<IoConnection>;
  resize(id: string, bundle: string, height: number, width: number): void;
  exec(request: ExecRequest): Promise<RunningExec>;
  /** Called with every container exit, once each, also those that happened while no daemon ran (after `recover`). */
  onExit(listener: (exit: Exit) => void): Disposable;
  /** Called when the kernel killed a process of the container for memory. */
  onOom(listener: (id: string) => void): Disposable;
  /** The recorded exit of a container that is gone, if its supervisor wrote one. */
  recordedExit(id: string): Exit | undefined;
  forgetExit(id: string): void;
  /** Counters of the container's cgroups; undefined when it has none. */
  stats(id: string): CgroupStats | undefined;
  /** Process ids (host's) in the container, children's cgroups included. */
  processes(id: string): readonly number[];
  /** Interfaces as the container's own network namespace sees them, by name, loopback left out. */
  interfaceCounters(pid: number): Readonly<Record<string, InterfaceCounters>>;
  /** After a daemon's start: finds exits that were recorded meanwhile and resumes watching. */
  recover(): Promise<void>;
  /** Names of configured runtimes, the default first. */
  runtimes(): ReadonlyMap<string, { readonly path: string; readonly args: readonly string[] }>;
}

export { type CgroupStats, type InterfaceCounters, isSameProcess, type ProcessIdentity, signalHeard };
