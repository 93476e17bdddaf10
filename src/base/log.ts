export type LogLevel = "debug" | "info" | "warn" | "error";

/** The daemon's own log: one line per event on standard error, `time level message key=value …`. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

function render(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

/** A logger that hands finished lines of at least `level` to `write`. */
export function lineLogger(write: (line: string) => void, level: LogLevel = "info"): Logger {
  const threshold = ORDER.indexOf(level);
  const at =
    (lineLevel: LogLevel) =>
    (message: string, fields: Record<string, unknown> = {}) => {
      if (ORDER.indexOf(lineLevel) < threshold) return;
      const tail = Object.entries(fields).map(([key, value]) => ` ${key}=${render(value)}`);
      write(`${new Date().toISOString()} ${lineLevel} ${message}${tail.join("")}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export const silentLogger: Logger = lineLogger(() => {}, "error");
