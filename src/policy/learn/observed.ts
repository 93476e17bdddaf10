/** What an attempt was about. */
export type AttemptKind =
  /** Opened for writing, made, renamed, removed: `target` is the path. */
  | "write"
  /** Opened for reading; kept when it failed. */
  | "read"
  /** A device opened: its path. */
  | "device"
  /** `tcp 10.0.0.1:80`, `udp [::1]:53`, `unix /run/x.sock`. */
  | "connect"
  /** As `connect`: what it listens on, or comes from. */
  | "bind"
  /** A path, and the owner that it was to get. */
  | "owner"
  /** Became, or wanted to become, another user or group: the ids. */
  | "user"
  /** A socket of a kind that sees other than its own traffic. */
  | "raw-socket"
  /** Any other call; kept when it failed or a capability decided. */
  | "call";

/** The same thing tried by the same program in the same way, however often. */
export interface Attempt {
  /** The program's name, as the kernel has it. */
  readonly process: string;
  readonly kind: AttemptKind;
  /** System call. */
  readonly call: string;
  readonly target?: string;
  readonly count: number;
  /** How often it failed, by errno name. */
  readonly failed: Readonly<Record<string, number>>;
  /** Capabilities that the kernel asked for: whether it had them. */
  readonly capabilities: Readonly<Record<string, boolean>>;
  /** The filter refuses the call. */
  readonly filtered?: true;
}

/** What a container's processes did in one run, as the kernel told it. Times in milliseconds since the epoch. */
export interface Observed {
  readonly version: 1;
  readonly from: number;
  readonly to: number;
  /** The run is over and nothing is to come. */
  readonly complete: boolean;
  /** The kernel told how calls ended (tracefs); else only what was tried is known. */
  readonly results: boolean;
  /** The kernel told which capabilities it asked for (Linux 6.13 and later). */
  readonly capabilities: boolean;
  /** How often each system call was made, but for those that every program may make (`ALWAYS_CALLED`). */
  readonly calls: Readonly<Record<string, number>>;
  readonly attempts: readonly Attempt[];
  /** Different attempts beyond what is kept. */
  readonly left: number;
}

/** `tcp 0.0.0.0:80`: 80. */
export function portOf(target: string): number | undefined {
  const port = /^(?:tcp|udp) .*:(\d+)$/.exec(target)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Containers that are watched have this label. */
export const OBSERVE_LABEL = "havre.observe";
