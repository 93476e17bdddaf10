import type { ReadTransaction, WriteTransaction } from "../store/mod.ts";
import type { Scope } from "./driver.ts";

type Pairs = Readonly<Record<string, string>>;

export interface VolumeRequest {
  /** "": one is made up, and the volume is anonymous. */
  readonly name: string;
  /** "": local. */
  readonly driver: string;
  readonly labels: Pairs | null;
  readonly options: Pairs | null;
}

/** A volume as it is shown. */
export interface VolumeInfo {
  readonly name: string;
  readonly driver: string;
  readonly labels: Pairs | null;
  readonly options: Pairs | null;
  readonly scope: Scope;
  /** Milliseconds since the epoch; undefined: nobody knows. */
  readonly created: number | undefined;
  /** "" while it is nowhere on this host. */
  readonly mountpoint: string;
  readonly status?: Readonly<Record<string, unknown>>;
  /** Ids of the containers that have it. */
  readonly users: readonly string[];
}

export interface VolumeUsage {
  readonly volume: VolumeInfo;
  /** Bytes of files; undefined where that is not this host's to count. */
  readonly size: number | undefined;
}

export interface VolumePruneFilters {
  /** Volumes with a name too, not only anonymous ones. */
  readonly all: boolean;
  readonly fits: (labels: Pairs) => boolean;
}

/** The use-cases of volumes. Errors are HavreErrors in Docker's words where it has some. */
export interface Volumes {
  /** Returns the one that is there when the name is taken by the same driver; `conflict` when by another. */
  create(request: VolumeRequest): Promise<VolumeInfo>;
  /** `not-found`. */
  get(name: string): Promise<VolumeInfo>;
  /** `warnings`: drivers that could not be asked. */
  list(): Promise<{ readonly volumes: readonly VolumeInfo[]; readonly warnings: readonly string[] }>;
  /** `conflict` while a container has it. `force`: one that is not there is no error, nor a driver that cannot be asked. */
  remove(name: string, force: boolean): Promise<void>;
  prune(filters: VolumePruneFilters): Promise<{ readonly removed: readonly string[]; readonly reclaimed: number }>;
  usage(): Promise<readonly VolumeUsage[]>;
  drivers(): Promise<readonly string[]>;
}

/** What a container wants at one of its places. */
export interface VolumeWish extends VolumeRequest {
  /** Made for this container alone. */
  readonly anonymous: boolean;
}

/** Volumes that were found or made for a container and stay until it is on record. */
export interface HeldVolumes extends Disposable {
  /** By name: whose it is, and where it is on this host; "" where it is nowhere yet. */
  readonly found: ReadonlyMap<string, { readonly driver: string; readonly path: string; readonly frozen: boolean }>;
  /** To be called in the transaction that records the container. */
  admit(tx: WriteTransaction): void;
}

/** What containers need of volumes. */
export interface ContainerVolumes {
  /** Finds or makes what a container that is being created wants; `holder` is its id. */
  ensure(wishes: readonly VolumeWish[], holder: string): Promise<HeldVolumes>;
  /** Returns the folder. */
  mount(name: string, holder: string): Promise<string>;
  unmount(name: string, holder: string): Promise<void>;
  /** One file or folder inside a mounted volume as a path that stays what it is until `hideParts`. `not-found`. */
  showPart(path: string, subpath: string, holder: string): string;
  /** To be called once the holder has bound its parts, or will not. */
  hideParts(holder: string): void;
  /**
   * Fills the volume, or the folder `subpath` of it, with what the image has at its place, if it is empty. `source`: a folder
   * that does not change its meaning.
   */
  populate(name: string, holder: string, source: string, subpath?: string): Promise<void>;
  /** Takes those of `names` that no container has, in the transaction that removes their last one. To be followed by `finishRemovals`. */
  markRemoved(tx: WriteTransaction, names: readonly string[]): void;
  /** Deletes what `markRemoved` took. */
  finishRemovals(): Promise<void>;
  /** Before anything is given back after a start: which containers had which volumes by the record. */
  adopt(held: ReadonlyMap<string, readonly string[]>): void;
  /**
   * Brings drivers and store together after a start. `held`: which containers that run have which volumes.
   */
  recover(held: ReadonlyMap<string, readonly string[]>): Promise<void>;
}

/** Which containers have a volume among their mounts, as the engine knows. */
export interface VolumeUsers {
  usersIn(tx: ReadTransaction, name: string): readonly string[];
}

/** What happened to a volume (`docker events`). */
export interface VolumeEvent {
  readonly action: "create" | "destroy" | "mount" | "unmount" | "prune";
  readonly name: string;
  readonly attributes: Pairs;
}
