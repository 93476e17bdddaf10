/** OCI runtime specification 1.0/1.1: the parts of `config.json` that Havre writes for Linux. */

export type NamespaceType = "pid" | "network" | "ipc" | "uts" | "mount" | "cgroup" | "user";

export interface RuntimeMount {
  readonly destination: string;
  readonly type?: string;
  readonly source?: string;
  readonly options?: readonly string[];
}

export interface CapabilitySets {
  readonly bounding: readonly string[];
  readonly effective: readonly string[];
  readonly permitted: readonly string[];
  readonly inheritable?: readonly string[];
  readonly ambient?: readonly string[];
}

export interface RuntimeProcess {
  readonly terminal?: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
  readonly user: {
    readonly uid: number;
    readonly gid: number;
    readonly additionalGids?: readonly number[];
    readonly umask?: number;
  };
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly capabilities?: CapabilitySets;
  /** -1: unlimited; see `encodeForRuntime`. */
  readonly rlimits?: readonly { readonly type: string; readonly hard: number; readonly soft: number }[];
  readonly noNewPrivileges?: boolean;
  readonly apparmorProfile?: string;
  readonly selinuxLabel?: string;
  readonly oomScoreAdj?: number;
}

export interface RuntimeDevice {
  readonly type: "c" | "b" | "u" | "p";
  readonly path: string;
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

export interface DeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "c" | "b";
  readonly major?: number;
  readonly minor?: number;
  readonly access?: string;
}

export interface IdMapping {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export interface RuntimeResources {
  readonly devices?: readonly DeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly realtimeRuntime?: number;
    readonly realtimePeriod?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: {
    readonly weight?: number;
    readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[];
    readonly throttleReadBpsDevice?: readonly ThrottleRule[];
    readonly throttleWriteBpsDevice?: readonly ThrottleRule[];
    readonly throttleReadIOPSDevice?: readonly ThrottleRule[];
    readonly throttleWriteIOPSDevice?: readonly ThrottleRule[];
  };
  readonly unified?: Readonly<Record<string, string>>;
}

export interface ThrottleRule {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  /** Socket that gets the asking side of SCMP_ACT_NOTIFY. */
  readonly listenerPath?: string;
  readonly syscalls?: readonly {
    readonly names: readonly string[];
    readonly action: string;
    readonly errnoRet?: number;
    readonly args?: readonly {
      readonly index: number;
      readonly value: number;
      readonly valueTwo?: number;
      readonly op: string;
    }[];
  }[];
}

export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly root: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly process: RuntimeProcess;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly linux: {
    readonly namespaces: readonly { readonly type: NamespaceType; readonly path?: string }[];
    readonly uidMappings?: readonly IdMapping[];
    readonly gidMappings?: readonly IdMapping[];
    readonly devices?: readonly RuntimeDevice[];
    readonly cgroupsPath?: string;
    readonly resources?: RuntimeResources;
    readonly rootfsPropagation?: string;
    readonly seccomp?: SeccompProfile;
    readonly sysctl?: Readonly<Record<string, string>>;
    readonly maskedPaths?: readonly string[];
    readonly readonlyPaths?: readonly string[];
    readonly mountLabel?: string;
  };
}

/** JSON.rawJSON (ECMAScript proposal, in Bun and Node.js): a number written digit by digit. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): number };
const UNLIMITED = "18446744073709551615";

/**
 * What is handed to a runtime, as it reads it. An unlimited resource limit is 2^64-1 there, which a JavaScript
 * number cannot hold: it is -1 until here.
 */
export function encodeForRuntime(value: RuntimeSpec | RuntimeProcess | RuntimeResources): string {
  return JSON.stringify(value, (key, field: unknown) =>
    field === -1 && (key === "hard" || key === "soft") ? rawJSON(UNLIMITED) : field,
  );
}
