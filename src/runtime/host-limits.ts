import { readFileSync } from "node:fs";
import type { RuntimeProcess } from "../spec/mod.ts";

const CAP_SYS_RESOURCE = 24;
/** As specifications say it before they are encoded. */
const UNLIMITED = -1;

/** /proc/self/limits by the specification's names. */
const LIMIT_NAMES: Readonly<Record<string, string>> = {
  "Max address space": "RLIMIT_AS",
  "Max core file size": "RLIMIT_CORE",
  "Max cpu time": "RLIMIT_CPU",
  "Max data size": "RLIMIT_DATA",
  "Max file locks": "RLIMIT_LOCKS",
  "Max file size": "RLIMIT_FSIZE",
  "Max locked memory": "RLIMIT_MEMLOCK",
  "Max msgqueue size": "RLIMIT_MSGQUEUE",
  "Max nice priority": "RLIMIT_NICE",
  "Max open files": "RLIMIT_NOFILE",
  "Max pending signals": "RLIMIT_SIGPENDING",
  "Max processes": "RLIMIT_NPROC",
  "Max realtime priority": "RLIMIT_RTPRIO",
  "Max realtime timeout": "RLIMIT_RTTIME",
  "Max resident set": "RLIMIT_RSS",
  "Max stack size": "RLIMIT_STACK",
};

/** The most this daemon may hand on to processes; a limit that is not here has no bound. */
export interface HostLimits {
  readonly hard: ReadonlyMap<string, number>;
  readonly oomScoreAdj: number;
}

/** The lowest there is (proc(5)). */
const LEAST_OOM_SCORE = -1000;

export function readHostLimits(): HostLimits {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  if ((BigInt(`0x${effective}`) >> BigInt(CAP_SYS_RESOURCE)) & 1n) {
    // Not even root passes this one.
    const mostFiles = Number(readFileSync("/proc/sys/fs/nr_open", "utf8"));
    return { hard: new Map([["RLIMIT_NOFILE", mostFiles]]), oomScoreAdj: LEAST_OOM_SCORE };
  }
  const hard = new Map<string, number>();
  for (const line of readFileSync("/proc/self/limits", "utf8").split("\n").slice(1)) {
    const name = LIMIT_NAMES[line.slice(0, 26).trim()];
    const value = line.slice(26).trim().split(/\s+/)[1];
    if (name && value) hard.set(name, value === "unlimited" ? Number.POSITIVE_INFINITY : Number(value));
  }
  return { hard, oomScoreAdj: Number(readFileSync("/proc/self/oom_score_adj", "utf8")) };
}

/** A process lowered to what the host lets it have: asking for more would fail the start. */
export function fitToHost(process: RuntimeProcess, limits: HostLimits, warn: (what: string) => void): RuntimeProcess {
  const rlimits = process.rlimits?.map((limit) => {
    const most = limits.hard.get(limit.type) ?? Number.POSITIVE_INFINITY;
    const fits = (value: number) => (value === UNLIMITED ? most === Number.POSITIVE_INFINITY : value <= most);
    if (fits(limit.hard)) return limit;
    warn(`${limit.type} is lowered from ${limit.hard} to ${most}: the daemon may not raise it`);
    return { ...limit, hard: most, soft: fits(limit.soft) ? limit.soft : most };
  });
  const wanted = process.oomScoreAdj;
  const score = wanted === undefined ? undefined : Math.max(wanted, limits.oomScoreAdj);
  if (score !== wanted) warn(`The OOM score adjustment is ${score} instead of ${wanted}: the daemon may not lower it`);
  return {
    ...process,
    ...(rlimits === undefined ? {} : { rlimits }),
    ...(score === undefined ? {} : { oomScoreAdj: score }),
  };
}
