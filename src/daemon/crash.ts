import { type Logger, toHavreError } from "../base/mod.ts";

/** A bug ends the daemon: the next start re-observes, which is safer than going on in an unknown state. */
export function crashOnBugs(log: Logger): void {
  const crash = (error: unknown) => {
    const stack = error instanceof Error ? error.stack : undefined;
    log.error("crashed", { error: toHavreError(error), stack });
    process.exit(70);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}

/** Settles when the process is asked to end. */
export function untilAskedToEnd(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGTERM", () => resolve());
    process.once("SIGINT", () => resolve());
  });
}
