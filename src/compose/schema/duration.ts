const UNITS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/** Nanoseconds of `1h30m`, `1.5s`, `500ms`; undefined when it is no duration (Go, time.ParseDuration). */
export function parseDuration(text: string): number | undefined {
  const sign = text.startsWith("-") ? -1 : 1;
  const body = text.replace(/^[-+]/, "");
  if (body === "0") return 0;
  const parts = [...body.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([all]) => all).join("") !== body) return undefined;
  return sign * parts.reduce((sum, [, number, unit]) => sum + Math.round(Number(number) * (UNITS[unit ?? ""] ?? 0)), 0);
}

/** `1m30s`, `500ms`, `1h0m0s` (Go, time.Duration.String). */
export function formatDuration(nanoseconds: number): string {
  if (nanoseconds === 0) return "0s";
  const sign = nanoseconds < 0 ? "-" : "";
  const left = Math.abs(nanoseconds);
  if (left < 1e3) return `${sign}${left}ns`;
  if (left < 1e6) return `${sign}${left / 1e3}µs`;
  if (left < 1e9) return `${sign}${left / 1e6}ms`;
  const hours = Math.floor(left / 3600e9);
  const minutes = Math.floor((left % 3600e9) / 60e9);
  const seconds = `${(left % 60e9) / 1e9}s`;
  return sign + (hours > 0 ? `${hours}h` : "") + (hours > 0 || minutes > 0 ? `${minutes}m` : "") + seconds;
}
