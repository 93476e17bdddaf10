import { normalize } from "node:path";
import { type ContainerConfig, type Healthcheck, parseSignal } from "../../spec/mod.ts";
import { refuse } from "./refuse.ts";

/** Nanoseconds: no duration of a health check may be shorter, but for 0, which inherits. */
const SHORTEST = 1_000_000;

/** Longest name the kernel takes (sethostname(2)). */
const HOSTNAME_LIMIT = 64;

function healthcheck(check: Healthcheck | undefined): void {
  if (!check) return;
  const durations = ["Interval", "Timeout", "StartPeriod", "StartInterval"] as const;
  for (const field of durations) {
    const value = check[field] ?? 0;
    if (value !== 0 && value < SHORTEST) throw refuse(`${field} in Healthcheck cannot be less than 1ms`);
    if (field === "Timeout" && (check.Retries ?? 0) < 0) throw refuse("Retries in Healthcheck cannot be negative");
  }
}

/** Checks the portable half of a request; returns it with its paths cleaned. `invalid-argument` in Docker's words. */
export function checkConfig(config: ContainerConfig): ContainerConfig {
  if (config.WorkingDir !== "" && !config.WorkingDir.startsWith("/"))
    throw refuse(`the working directory '${config.WorkingDir}' is invalid, it needs to be an absolute path`);
  if (config.StopSignal) parseSignal(config.StopSignal);
  for (const variable of config.Env ?? []) {
    if (variable === "" || variable.startsWith("=")) throw refuse(`invalid environment variable: ${variable}`);
    if (variable.includes("\0")) throw refuse("invalid environment variable: it contains a NUL byte");
  }
  healthcheck(config.Healthcheck);
  if (Buffer.byteLength(config.Hostname) > HOSTNAME_LIMIT)
    throw refuse(
      `invalid hostname: ${config.Hostname}`,
      `The kernel takes at most ${HOSTNAME_LIMIT} bytes for a host name`,
    );
  return config.WorkingDir === "" ? config : { ...config, WorkingDir: cleanPath(config.WorkingDir) };
}

/** Without `.`, `..`, doubled and trailing slashes. */
export function cleanPath(path: string): string {
  return normalize(path).replace(/(.)\/$/, "$1");
}
