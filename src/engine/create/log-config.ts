import { HavreError } from "../../base/mod.ts";
import { type LogConfig, parseSize } from "../../spec/mod.ts";
import { quoted, refuse } from "./refuse.ts";

const DEFAULT_DRIVER = "json-file";

/** Docker finds these at the start of a container and says so. */
const NOT_READY = "failed to create task for container: failed to initialize logging driver: ";

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

/** How a container's log is bounded, as far as its options say. */
export interface LogLimits {
  /** Bytes at which a generation ends; -1: never. */
  readonly maxSize?: number;
  readonly maxFiles?: number;
}

/** Reads `max-size` and `max-file` as Docker does; `-1` asks for what is the default there. `invalid-argument` in Docker's words. */
export function logLimits({ Type, Config }: LogConfig): LogLimits {
  const { "max-size": size, "max-file": files } = Config;
  return {
    ...(size === undefined ? {} : { maxSize: maxSize(size, Type) }),
    ...(files === undefined ? {} : { maxFiles: maxFiles(files) }),
  };
}

function maxSize(text: string, driver: string): number {
  if (text === "-1") return -1;
  const bytes = parseSize(text, 1000);
  const lead = driver === "local" ? `invalid value for max-size: ${text}: ` : "";
  if (bytes === undefined)
    throw refuse(
      `${NOT_READY}${lead}invalid size: '${text}'`,
      "Give a number with an optional k, m or g; -1: no bound",
    );
  if (bytes === 0) throw refuse(`${NOT_READY}max-size must be a positive number`);
  return bytes;
}

function maxFiles(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw refuse(`${NOT_READY}strconv.Atoi: parsing ${quoted(text)}: invalid syntax`);
  if (Number(text) < 1) throw refuse(`${NOT_READY}max-file cannot be less than 1`);
  return Number(text);
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
  if (!known) throw refuse(`error looking up logging plugin ${driver}: plugin ${quoted(driver)} not found`);
  for (const name of Object.keys(given.Config))
    if (!known.includes(name) && !ANY_DRIVER.has(name))
      throw refuse(
        driver === "local"
          ? `unknown log opt '${name}' for log driver local`
          : `unknown log opt '${name}' for ${driver} log driver`,
      );
  checkMode(given.Config);
  const checked = { Type: driver, Config: given.Config };
  logLimits(checked);
  return checked;
}
