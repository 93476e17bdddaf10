import type { PortSummary } from "../types.ts";

/** What a container has used since it was started, and uses now. Bytes, unless said otherwise. */
export interface Usage {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Nanoseconds. */
  readonly cpu: number;
  readonly memory: number;
  readonly memoryLimit?: number;
  readonly received: number;
  readonly sent: number;
  readonly read: number;
  readonly written: number;
  readonly processes: number;
}

/** One container as an engine tells of it. */
export interface Reading {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: string;
  /** `none` where it has no health check. */
  readonly health: string;
  readonly exitCode: number;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly restarts: number;
  /** Why it is not well, where that is known. */
  readonly note?: string;
  readonly ports: readonly PortSummary[];
  /** Of one that runs. */
  readonly usage?: Usage;
}

/** One look at an engine. */
export interface Look {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cpus: number;
  /** Bytes of the host. */
  readonly memory: number;
  /** Containers that do not run, listed or not. */
  readonly stopped: number;
  readonly containers: readonly Reading[];
}
