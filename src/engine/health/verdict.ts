import type { Health, HealthProbe } from "../container.ts";
import type { HealthPlan } from "./config.ts";

/** How many probes are remembered (Docker's). */
const REMEMBERED = 5;

export const STARTING: Health = { status: "starting", failingStreak: 0, log: [] };

/** A container's health after a probe. Failures in the start period do not count until the first success. */
export function afterProbe(health: Health, probe: HealthProbe, plan: HealthPlan, startedAt: number): Health {
  const log = [...health.log, probe].slice(-REMEMBERED);
  if (probe.exitCode === 0) return { status: "healthy", failingStreak: 0, log };
  const starting = health.status === "starting" && probe.start - startedAt < plan.startPeriod;
  if (starting) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { status: failingStreak >= plan.retries ? "unhealthy" : health.status, failingStreak, log };
}

/** Milliseconds until the next probe: shorter while the container is in its start period. */
export function untilNextProbe(health: Health, plan: HealthPlan, now: number, startedAt: number): number {
  const starting = health.status === "starting" && now - startedAt < plan.startPeriod;
  return starting ? plan.startInterval : plan.interval;
}
