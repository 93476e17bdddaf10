/** What a driver knows of one of its volumes. */
export interface DriverVolume {
  readonly name: string;
  /** Where it is on this host; "" while it is nowhere. */
  readonly path: string;
  /** Milliseconds since the epoch; undefined: the driver does not say. */
  readonly created?: number;
  /** What the driver tells of it beyond this, as `inspect` shows it. */
  readonly status?: Readonly<Record<string, unknown>>;
}

export type Scope = "local" | "global";

/**
 * Where volumes live: folders of this host, a plug-in's process, later NFS, Ceph or CSI. Names are checked and calls for one
 * name serialised by the caller.
 */
export interface VolumeDriver {
  readonly name: string;
  /** `global`: every host of a cluster sees the same volumes. */
  scope(): Promise<Scope>;
  /** Free of effect when the volume is there already. `invalid-argument` for options it does not know. */
  create(name: string, options: Readonly<Record<string, string>>): Promise<void>;
  /** Free of effect when it is gone already. */
  remove(name: string): Promise<void>;
  /** Makes the volume's files reachable for `holder`; returns the folder. Free of effect twice. */
  mount(name: string, holder: string): Promise<string>;
  /** `holder` is done with it. Free of effect when it was. */
  unmount(name: string, holder: string): Promise<void>;
  /** undefined: the driver has no such volume. */
  get(name: string): Promise<DriverVolume | undefined>;
  list(): Promise<readonly DriverVolume[]>;
}

/** Drivers by name. */
export interface VolumeDrivers {
  /** `not-found` in Docker's words. */
  get(name: string): Promise<VolumeDriver>;
  /** Those that may have volumes nobody asked this engine for. */
  others(): Promise<readonly VolumeDriver[]>;
  names(): Promise<readonly string[]>;
}
