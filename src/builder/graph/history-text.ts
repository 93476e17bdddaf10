import type { Healthcheck } from "../../spec/mod.ts";

/** Go's %q of a list: `["a" "b"]`. */
export function quotedList(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(" ")}]`;
}

/** Go's %v of a list: `[a b]`. */
export function plainList(words: readonly string[]): string {
  return `[${words.join(" ")}]`;
}

/** Go's time.Duration: `1m30s`, `500ms`. */
export function duration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  if (nanoseconds < 1000) return `${nanoseconds}ns`;
  if (nanoseconds < 1_000_000) return `${nanoseconds / 1000}µs`;
  if (nanoseconds < 1_000_000_000) return `${nanoseconds / 1_000_000}ms`;
  const total = nanoseconds / 1_000_000_000;
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = `${Number((total % 60).toFixed(9))}s`;
  return `${hours > 0 ? `${hours}h` : ""}${total >= 60 ? `${minutes}m` : ""}${seconds}`;
}

/** As Docker's own builder wrote a health check into the history. */
export function classicHealthcheck(check: Healthcheck): string {
  const { Test, Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = check;
  const times = [Interval, Timeout, StartPeriod, StartInterval].map((time) => JSON.stringify(duration(time))).join(" ");
  return `&{${quotedList(Test ?? [])} ${times} ${goRune(Retries)}}`;
}

/** As BuildKit writes it. */
export function buildkitHealthcheck(check: Healthcheck): string {
  const { Test, Interval = 0, Timeout = 0, StartPeriod = 0, StartInterval = 0, Retries = 0 } = check;
  const times = [Interval, Timeout, StartPeriod, StartInterval].map((time, at) => {
    const name = ["Interval", "Timeout", "StartPeriod", "StartInterval"][at];
    return `${name}:${duration(time)}`;
  });
  return `{Test:${plainList(Test ?? [])} ${times.join(" ")} Retries:${Retries}}`;
}

/** Go's %q of a small number. */
function goRune(value: number): string {
  const names: Readonly<Record<number, string>> = {
    7: "\\a",
    8: "\\b",
    9: "\\t",
    10: "\\n",
    11: "\\v",
    12: "\\f",
    13: "\\r",
    39: "\\'",
    92: "\\\\",
  };
  if (names[value] !== undefined) return `'${names[value]}'`;
  if (value < 32) return `'\\x${value.toString(16).padStart(2, "0")}'`;
  return `'${String.fromCodePoint(value)}'`;
}
