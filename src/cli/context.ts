import type { LogLevel } from "../base/mod.ts";
import type { Client } from "../client/mod.ts";
import type { Output } from "./output/output.ts";
import type { RawTerminal } from "./output/terminal.ts";

/** What every command is given: where it writes, and the daemon when it needs it. */
export interface Context {
  readonly out: Output;
  readonly err: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly places: Places;
  /** Full name of the command under way: `container ls`. */
  readonly commandName: string;
  /** The daemon's client; starts a daemon in the background when none answers at the default place. */
  client(): Promise<Client>;
  /** Becomes the daemon; handed in, since the command line knows nothing of it. Resolves when it ends. */
  runDaemon(settings: DaemonSettings): Promise<number>;
  /** Becomes a registry likewise. */
  runRegistry(settings: RegistrySettings): Promise<number>;
  /** Raw mode of a terminal; handed in, since it is the kernel's. */
  rawTerminal(fd: number): Promise<RawTerminal>;
  /** What this host has and lacks for a daemon with that root folder; handed in likewise. */
  diagnose(daemon: { readonly root: string; readonly bridge?: string }): Promise<readonly HostCheck[]>;
}

/** One line of `havre doctor`. */
export interface HostCheck {
  readonly name: string;
  /** warn: something works less well or not at all; fail: containers cannot run. */
  readonly status: "ok" | "warn" | "fail";
  readonly found: string;
  readonly consequence?: string;
  readonly remedy?: string;
}

/** What `havre daemon` was asked. */
export interface DaemonSettings {
  readonly root: string;
  readonly run: string;
  readonly logLevel: LogLevel;
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Path of an OCI runtime by name. */
  readonly addedRuntimes: Readonly<Record<string, string>>;
  readonly defaultRuntime?: string;
  readonly bridge?: string;
  readonly subnet?: string;
  /** `base=CIDR,size=PREFIX`. */
  readonly defaultAddressPools: readonly string[];
  readonly hostAccess: boolean;
  readonly openPorts: boolean;
  /** Words, read by the daemon. */
  readonly profile?: string;
  readonly forbiddenGrants: readonly string[];
  readonly pluginFolder?: string;
  readonly usernsRemap?: string;
  readonly socketGroup?: string;
  /** Milliseconds for which a removed image can be brought back. */
  readonly imageRetention?: number;
  /** Only take bridge and firewall rules of a stopped daemon off the host. */
  readonly cleanup: boolean;
}

/** What `havre registry serve` was asked. */
export interface RegistrySettings {
  readonly root: string;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly logLevel: LogLevel;
  /** Paths of PEM files. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Path of the users' file; without one, whoever reaches the registry may do everything. */
  readonly htpasswd?: string;
  /** Path of the settings' file. */
  readonly config?: string;
}

/** Where this command line's daemon lives. */
export interface Places {
  readonly root: string;
  readonly run: string;
  /** `-H`: a daemon somewhere else; none is started for it. */
  readonly host: string | undefined;
}
