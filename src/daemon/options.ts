import type { LogLevel } from "../base/mod.ts";
import type { Grant, Profile } from "../policy/mod.ts";

/** How a daemon is set up: the flags of `havre daemon`, parsed. */
export interface DaemonOptions {
  /** Durable data. */
  readonly root: string;
  /** Volatile data and the socket. */
  readonly run: string;
  /** Linux bridge of the default network. */
  readonly bridge: string;
  /** CIDR of the default network; undefined: the first free default pool. */
  readonly subnet?: string;
  /** `base=CIDR,size=PREFIX`: where networks that name no subnet get one; none: Docker's pools. */
  readonly defaultAddressPools: readonly string[];
  /** Containers of the default bridge reach services of the host by its address. */
  readonly hostAccess: boolean;
  /** Published ports are reached from outside whatever the host's firewall says. */
  readonly openPorts: boolean;
  /** Profile of containers that ask for none, and what none goes below; undefined: Docker's, and no floor. */
  readonly profile?: Profile;
  /** What no container is granted. */
  readonly forbiddenGrants: readonly Grant[];
  readonly logLevel: LogLevel;
  readonly defaultRuntime: string;
  /** Further OCI runtimes: name → path. */
  readonly runtimes: ReadonlyMap<string, string>;
  /** Base URLs asked before Docker Hub. */
  readonly registryMirrors: readonly string[];
  /** `host[:port]` or CIDR of registries that need no trusted TLS. */
  readonly insecureRegistries: readonly string[];
  /** Where volume plug-ins are looked for; undefined: where Docker's are. */
  readonly pluginFolder?: string;
  /**
   * Containers that name no user namespace have ids of their own: `default`, each its own of the user `havre`'s; or those of
   * `user[:group]`, all the same. Undefined: the host's.
   */
  readonly usernsRemap?: string;
  /** Group that may use the socket. */
  readonly socketGroup?: string;
  /** Milliseconds for which a removed image can be brought back; 0 unless told. */
  readonly imageRetention?: number;
}

export const DEFAULT_ROOT = "/var/lib/havre";
export const DEFAULT_RUN = "/run/havre";
export const DEFAULT_BRIDGE = "havre0";
