import type { ContainerStatus } from "../../../engine/mod.ts";
import { humanDuration } from "./duration.ts";

/** The `STATUS` column of `docker ps`. `now` in milliseconds since the epoch. */
export function statusText({ state, startedAt, finishedAt, exitCode, health }: ContainerStatus, now: number): string {
  const up = () => `Up ${humanDuration(now - (startedAt ?? now))}`;
  const ago = () => `${humanDuration(now - (finishedAt ?? now))} ago`;
  switch (state) {
    case "paused":
      return `${up()} (Paused)`;
    case "restarting":
      return `Restarting (${exitCode}) ${ago()}`;
    case "running":
      if (!health || health.status === "none") return up();
      return `${up()} (${health.status === "starting" ? "health: starting" : health.status})`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
      return "Created";
    case "exited":
      return finishedAt === undefined ? "Created" : `Exited (${exitCode}) ${ago()}`;
  }
}
