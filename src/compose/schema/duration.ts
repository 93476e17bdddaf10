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
