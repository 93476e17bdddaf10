import type { Digest, Logger } from "../../base/mod.ts";
import type { BuildCache, BuildkitConnections, ClassicBuild, ClassicSpeaker, NativeBuilds } from "../../builder/mod.ts";
import type { CatalogueItem, Finding, OutdatedPackage } from "../../catalogue/mod.ts";
import type {
  ApplicationMoves,
  Archives,
  Audits,
  CommitOptions,
  Comparisons,
  ContainerPlacement,
  Containers,
  Events,
  Execs,
  Grants,
  GraphDriver,
  NetworkManagement,
  Observation,
  Observations,
  PortManagement,
  Refusals,
  RemovedLogReader,
  Streams,
} from "../../engine/mod.ts";
import type {
  Distribution,
  Documents,
  Image,
  ImageAccounts,
  ImageHistory,
  Images,
  OnProgress,
  RegistrySettings,
} from "../../images/mod.ts";
import type { ModeFigures } from "../../networks/mod.ts";
import type { VolumeArchives, VolumeBackups, VolumeSchedules, Volumes } from "../../volumes/mod.ts";

/** Makes an image of a container. */
export interface Commits {
  commit(ref: string, options: CommitOptions): Promise<Digest>;
}

/** Builds images from a context that comes as one archive. */
export interface Builds {
  build(
    request: ClassicBuild,
    context: AsyncIterable<Uint8Array> | { readonly remote: string },
    speaker: ClassicSpeaker,
    signal: AbortSignal,
  ): Promise<Digest>;
  cancel(buildId: string): void;
}

/** Measures what each kind of network costs on this host. */
export interface NetworkAdvice {
  measure(signal?: AbortSignal): Promise<readonly ModeFigures[]>;
}

/** Where things are kept on this host: what `inspect` tells beside the objects themselves. */
export interface Placement {
  container(id: string): ContainerPlacement;
  image(id: Digest): GraphDriver;
}

/** What this program is. */
export interface Product {
  readonly version: string;
  readonly commit: string;
  /** RFC 3339. */
  readonly buildTime: string;
  /** Programs it works with, e.g. crun and conmon. */
  readonly components: readonly { readonly name: string; readonly version: string; readonly commit: string }[];
}
/** What this host and this daemon are, as `docker info` tells it. */
export interface HostInfo {
  readonly id: string;
  readonly hostname: string;
  readonly kernelVersion: string;
  /** PRETTY_NAME of os-release. */
  readonly operatingSystem: string;
  readonly osVersion: string;
  /** As uname says (`x86_64`). */
  readonly machine: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly rootDirectory: string;
  readonly cgroupVersion: 1 | 2;
  readonly cgroupDriver: string;
  readonly defaultRuntime: string;
  readonly runtimes: ReadonlyMap<string, { readonly path: string; readonly args: readonly string[] }>;
  readonly initPath: string | undefined;
  readonly driver: string;
  readonly driverStatus: readonly (readonly [string, string])[];
  readonly logDrivers: readonly string[];
  readonly defaultLogDriver: string;
  /** `name=seccomp,profile=builtin` and the like. */
  readonly securityOptions: readonly string[];
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly kernelMemoryTcp: boolean;
    readonly oomKillDisable: boolean;
    readonly cpuQuota: boolean;
    readonly cpuShares: boolean;
    readonly cpuSet: boolean;
    readonly pids: boolean;
  };
  readonly ipv4Forwarding: boolean;
  readonly bridgeNfIptables: boolean;
  readonly bridgeNfIp6tables: boolean;
  readonly openFiles: number;
  readonly labels: readonly string[];
  readonly registries: RegistrySettings;
  readonly warnings: readonly string[];
}
export interface Host {
  product(): Product;
  info(): HostInfo;
}

/** What is done with what is in volumes. */
export interface VolumeData {
  readonly archives: Pick<VolumeArchives, "read" | "write" | "clone" | "marked" | "unmarked">;
  readonly backups: Pick<VolumeBackups, "backup" | "restore" | "verify" | "list">;
  readonly schedules: Pick<VolumeSchedules, "add" | "remove" | "list">;
}

/** The base images that operators own. */
export interface CatalogueKeeper {
  list(): readonly CatalogueItem[];
  find(name: string): CatalogueItem;
  build(
    name: string,
    force: boolean,
    progress: OnProgress,
    signal?: AbortSignal,
  ): Promise<{ readonly image: Image; readonly fresh: boolean }>;
  verify(name: string): Promise<readonly Finding[]>;
  outdated(name: string, signal: AbortSignal): Promise<readonly OutdatedPackage[]>;
}

/** What the Docker API adapts. Nothing here knows of HTTP. */
export interface UseCases {
  readonly containers: Containers;
  readonly streams: Streams;
  readonly removedLogs: RemovedLogReader;
  readonly execs: Execs;
  readonly events: Events;
  readonly archives: Archives;
  readonly observation: Observation;
  readonly commits: Commits;
  readonly builds: Builds;
  readonly buildkit: BuildkitConnections;
  readonly nativeBuilds: Pick<NativeBuilds, "build" | "compare" | "give">;
  readonly buildCache: Pick<BuildCache, "list" | "prune">;
  readonly comparisons: Comparisons;
  readonly images: Images;
  readonly imageHistory: ImageHistory;
  readonly imageAccounts: ImageAccounts;
  readonly documents: Pick<Documents, "about">;
  readonly distribution: Distribution;
  readonly catalogue: CatalogueKeeper;
  readonly networks: NetworkManagement;
  readonly networkAdvice: NetworkAdvice;
  readonly ports: PortManagement;
  readonly volumes: Volumes;
  readonly volumeData: VolumeData;
  readonly apps: Pick<ApplicationMoves, "export" | "import">;
  readonly audits: Pick<Audits, "all" | "container" | "image" | "host">;
  readonly refusals: Pick<Refusals, "why">;
  readonly observations: Pick<Observations, "observed" | "needs" | "drift">;
  readonly grants: Pick<Grants, "of" | "words">;
  readonly placement: Placement;
  readonly host: Host;
  readonly log: Logger;
}
