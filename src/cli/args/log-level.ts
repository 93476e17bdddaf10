import { HavreError, type LogLevel } from "../../base/mod.ts";
import { text } from "./flags.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const satisfies readonly LogLevel[];

/** `--log-level` of what runs in the foreground. */
export const logLevelFlag = text("Least level of its own log: debug, info, warn, error", {
  initial: "info",
  defaultText: '"info"',
});

/** `invalid-argument` for a level there is not. */
export function readLogLevel(text: string): LogLevel {
  const level = LEVELS.find((one) => one === text);
  if (level !== undefined) return level;
  throw new HavreError("invalid-argument", `Unknown log level '${text}'`, {
    hint: `Choose one of ${LEVELS.join(", ")}`,
  });
}
