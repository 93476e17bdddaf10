import type { HavreError } from "../../base/mod.ts";

/** The exit code Docker gives a container that could not be started: 127 command not found, 126 not executable, else 128. */
export function failedStartCode(error: HavreError): number {
  if (error.kind === "not-found") return 127;
  if (error.kind === "permission-denied") return 126;
  return 128;
}
