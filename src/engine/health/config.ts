import type { ContainerConfig } from "../../spec/mod.ts";

/** A container's health check with every default filled in; times in milliseconds. */
export interface HealthPlan {
  readonly command: readonly string[];
  readonly interval: number;
  readonly timeout: number;
  readonly startPeriod: number;
  readonly startInterval: number;
  readonly retries: number;
}

const DEFAULT_INTERVAL = 30_000;
const DEFAULT_TIMEOUT = 30_000;
const DEFAULT_START_INTERVAL = 5_000;
const DEFAULT_RETRIES = 3;
const NANOSECONDS_PER_MILLISECOND = 1e6;

/** The health check a container asks for; undefined when it has none or disables its image's (`NONE`). */
export function healthPlan({
  Healthcheck,
  Shell,
}: Pick<ContainerConfig, "Healthcheck" | "Shell">): HealthPlan | undefined {
  const [kind, ...words] = Healthcheck?.Test ?? [];
  if (Healthcheck === undefined || kind === undefined || kind === "NONE") return undefined;
  const milliseconds = (nanoseconds: number | undefined, otherwise: number) =>
    nanoseconds ? nanoseconds / NANOSECONDS_PER_MILLISECOND : otherwise;
  return {
    command: kind === "CMD-SHELL" ? [...(Shell ?? ["/bin/sh", "-c"]), words.join(" ")] : words,
    interval: milliseconds(Healthcheck.Interval, DEFAULT_INTERVAL),
    timeout: milliseconds(Healthcheck.Timeout, DEFAULT_TIMEOUT),
    startPeriod: milliseconds(Healthcheck.StartPeriod, 0),
    startInterval: milliseconds(Healthcheck.StartInterval, DEFAULT_START_INTERVAL),
    retries: Healthcheck.Retries || DEFAULT_RETRIES,
  };
}
