import { HavreError } from "../../base/mod.ts";
import type { LogConfig } from "../../spec/mod.ts";
import { refuse } from "./refuse.ts";

const DEFAULT_DRIVER = "json-file";

/** Options each driver takes, beside those of every driver. `json-file` and `local` are names for the same log here. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  "json-file": ["max-file", "max-size", "compress", "labels", "labels-regex", "env", "env-regex", "tag"],
  local: ["max-file", "max-size", "compress"],
};
const ANY_DRIVER = new Set(["mode", "max-buffer-size"]);

/** Docker's drivers that send logs elsewhere. */
const REMOTE = new Set(["awslogs", "fluentd", "gcplogs", "gelf", "journald", "splunk", "syslog"]);

function checkMode(options: LogConfig["Config"]): void {
  const { mode = "" } = options;
  if (mode !== "" && mode !== "blocking" && mode !== "non-blocking")
    throw refuse(`logger: logging mode not supported: ${mode}`);
  if (options["max-buffer-size"] !== undefined && mode !== "non-blocking")
    throw refuse("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
}

function checkSizes(options: LogConfig["Config"]): void {
  const size = options["max-size"];
  if (size !== undefined && !/^(-1|\d+(\.\d+)?\s*[kKmMgGtTpP]?i?[bB]?)$/.test(size))
    throw refuse(`invalid log opt max-size: ${size}`, "Give a number with an optional k, m or g");
  const files = options["max-file"];
  if (files !== undefined && !/^[1-9]\d*$/.test(files)) throw refuse("max-file cannot be less than 1");
}

/** The log configuration with its driver filled in. `invalid-argument` in Docker's words. */
export function checkLogConfig(given: LogConfig): LogConfig {
  const driver = given.Type || DEFAULT_DRIVER;
  if (driver === "none") return { Type: driver, Config: given.Config };
  if (REMOTE.has(driver))
    throw new HavreError("not-implemented", `Log driver ${driver} is not available`, {
      hint: "Use json-file or local, and read the log through the API",
    });
  const known = OPTIONS[driver];
  if (!known) throw refuse(`logger: no log driver named '${driver}' is registered`);
  for (const name of Object.keys(given.Config))
    if (!known.includes(name) && !ANY_DRIVER.has(name))
      throw refuse(
        driver === "local"
          ? `unknown log opt '${name}' for log driver local`
          : `unknown log opt '${name}' for ${driver} log driver`,
      );
  checkMode(given.Config);
  checkSizes(given.Config);
  return { Type: driver, Config: given.Config };
}
