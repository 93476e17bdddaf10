import { join } from "node:path";
import type { Clock, KeyedMutex, Logger } from "../base/mod.ts";
import type { Identities, MappedSources } from "../identities/mod.ts";
import type { Images } from "../images/mod.ts";
import type { Networks, PublishedPorts } from "../networks/mod.ts";
import type { Runtime } from "../runtime/mod.ts";
import type { Snapshotter } from "../snapshots/mod.ts";
import type { Store, UpdateOptions } from "../store/mod.ts";
import type { ContainerVolumes } from "../volumes/mod.ts";
import { type Container, type ContainerStatus, containerKind } from "./container.ts";
import type { PolicySettings } from "./create/mod.ts";
import type { EventLog } from "./events.ts";
import type { HostFacts } from "./host-facts.ts";
import type { MountedTrees } from "./trees.ts";
import type { Waiters } from "./waiters.ts";

/** Where the engine keeps a container's files. */
export interface EnginePaths {
  /** Durable: `<root>/containers`. */
  readonly containers: string;
  /** Volatile: `<run>/bundles`. */
  readonly bundles: string;
}

/** How one engine is set up; from the daemon's options. */
export interface EngineConfig {
  readonly paths: EnginePaths;
  readonly defaultRuntime: string;
  /** Path of the init program bound into containers started with `--init`; undefined: none installed. */
  readonly initPath: string | undefined;
  /** Bytes at which a generation of a container's log ends, and how many are kept, unless the container says otherwise. */
  readonly logMaxSize: number;
  readonly logMaxFiles: number;
  /** Every published port is reached from outside, whatever the host's firewall says. */
  readonly openPorts: boolean;
  /** What no container goes below, and what none is granted. */
  readonly policy: PolicySettings;
  /** Starts an observer, with its folder as last argument; absent: no container can be watched. */
  readonly observer?: readonly string[];
  /** Parent of containers' control groups, e.g. `/havre`. */
  readonly cgroupParent: string;
}

/** What every use-case of the engine works with. */
export interface EngineContext {
  readonly store: Store;
  readonly images: Images;
  readonly snapshots: Snapshotter;
  readonly trees: MountedTrees;
  readonly networks: Networks;
  readonly ports: PublishedPorts;
  readonly volumes: ContainerVolumes;
  readonly runtime: Runtime;
  readonly identities: Identities;
  readonly mapped: MappedSources;
  readonly events: EventLog;
  readonly waiters: Waiters;
  /** Serialises what changes one container. */
  readonly locks: KeyedMutex;
  readonly clock: Clock;
  readonly log: Logger;
  readonly host: HostFacts;
  readonly config: EngineConfig;
}

/** Durable folder of a container: hosts, hostname, resolv.conf, logs. */
export function containerFolder(context: EngineContext, id: string): string {
  return join(context.config.paths.containers, id);
}

/** Volatile folder with the runtime's bundle of a container. */
export function bundleFolder(context: EngineContext, id: string): string {
  return join(context.config.paths.bundles, id);
}

export function logPath(context: EngineContext, id: string): string {
  return join(containerFolder(context, id), "container.log");
}

export function runtimeName(context: EngineContext, container: Container): string {
  return container.spec.hostConfig.Runtime || context.config.defaultRuntime;
}

/**
 * Writes what was observed of a container; free of effect when it is gone. Returns the object as it is now. Not durable
 * unless said: after a power cut no container runs, and the rest is observed again.
 */
export async function setStatus(
  context: EngineContext,
  id: string,
  change: Partial<ContainerStatus> | ((status: ContainerStatus) => ContainerStatus),
  options: UpdateOptions = { durable: false },
): Promise<Container | undefined> {
  return context.store.update((tx) => {
    const container = tx.get(containerKind, id);
    if (!container) return undefined;
    const status = typeof change === "function" ? change(container.status) : { ...container.status, ...change };
    const next: Container = { ...container, status };
    tx.put(containerKind, next);
    return next;
  }, options);
}
