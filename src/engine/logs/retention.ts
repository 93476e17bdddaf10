import { HavreError } from "../../base/mod.ts";
import { parseKeepTime } from "../../spec/mod.ts";

/** How long a container's log is kept when it is removed: `72h`, `30d`, `0` for not at all. */
export const LOGS_KEEP_LABEL = "havre.logs.keep";

/** Milliseconds; undefined: as all containers'. `invalid-argument` for what is no time. */
export function logsKeep(labels: Readonly<Record<string, string>>): number | undefined {
  const text = labels[LOGS_KEEP_LABEL];
  if (text === undefined) return undefined;
  const keep = parseKeepTime(text);
  if (keep === undefined) {
    throw new HavreError("invalid-argument", `Label ${LOGS_KEEP_LABEL}=${text} is no time to keep a log for`, {
      hint: "Write 72h or 30d; 0 keeps nothing",
    });
  }
  return keep;
}
