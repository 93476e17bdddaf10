import type { RestartPolicy } from "../spec/mod.ts";

/** Milliseconds: the first wait, the longest, and how long a run must last for the waits to start over (Docker's). */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 60_000;
const STEADY_RUN = 10_000;
const SIGKILL = 9;

export interface RestartQuestion {
  readonly policy: RestartPolicy;
  readonly status: {
    readonly exitCode: number;
    readonly restartCount: number;
    readonly stoppedByUser: boolean;
    readonly startedAt?: number;
    readonly finishedAt?: number;
  };
  /** Milliseconds waited before the run that just ended; undefined: it was started by hand. */
  readonly previousDelay: number | undefined;
}

export type RestartDecision = { readonly restart: false } | { readonly restart: true; readonly delay: number };

/** Whether a container whose process just ended is started again, and after how many milliseconds. */
export function restartDecision({ policy, status, previousDelay }: RestartQuestion): RestartDecision {
  if (status.stoppedByUser || !policyWants(policy, status)) return { restart: false };
  const ran = (status.finishedAt ?? 0) - (status.startedAt ?? 0);
  const startsOver = previousDelay === undefined || ran >= STEADY_RUN;
  return { restart: true, delay: startsOver ? FIRST_DELAY : Math.min(previousDelay * 2, LONGEST_DELAY) };
}

/**
 * Whether a signal from the user is meant to end the container's run, after which no policy starts it again: KILL and the
 * stop signal, and where no stop signal was chosen any other too (Docker's).
 */
export function endsRun(signal: number, stopSignal: number | undefined): boolean {
  return signal === SIGKILL || stopSignal === undefined || signal === stopSignal;
}

function policyWants(policy: RestartPolicy, status: RestartQuestion["status"]): boolean {
  if (policy.Name === "always" || policy.Name === "unless-stopped") return true;
  if (policy.Name !== "on-failure" || status.exitCode === 0) return false;
  return policy.MaximumRetryCount === 0 || status.restartCount < policy.MaximumRetryCount;
}

/**
 * Whether a stopped container is started when the daemon starts: `always` even when the user stopped it,
 * `unless-stopped` when he did not, `on-failure` when its end was a failure nobody handled yet.
 */
export function startsWithDaemon({ policy, status }: Omit<RestartQuestion, "previousDelay">): boolean {
  if (policy.Name === "always") return true;
  return !status.stoppedByUser && policyWants(policy, status);
}
