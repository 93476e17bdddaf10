/** Counters of one cgroup, the same for version 1 and 2. Bytes and nanoseconds. */
export interface CgroupStats {
  readonly cpu: {
    readonly total: number;
    readonly user: number;
    readonly kernel: number;
    readonly perCpu: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledTime: number;
  };
  readonly memory: {
    readonly usage: number;
    readonly maxUsage: number;
    readonly limit: number;
    readonly failCount: number;
    /** memory.stat as the kernel prints it. */
    readonly stat: Readonly<Record<string, number>>;
  };
  readonly pids: { readonly current: number; readonly limit: number };
  /** By Docker's names: io_service_bytes_recursive, io_serviced_recursive, … */
  readonly blkio: Readonly<
    Record<
      string,
      readonly { readonly major: number; readonly minor: number; readonly op: string; readonly value: number }[]
    >
  >;
  readonly version: 1 | 2;
}

export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}
