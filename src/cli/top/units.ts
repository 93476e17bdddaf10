/** Sizes and times in five columns: what changes every second is read at a glance or not at all. */

function short(value: number, base: number, units: readonly string[]): string {
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= base;
    unit++;
  }
  const digits = unit === 0 || scaled >= 99.5 ? 0 : 1;
  return `${scaled.toFixed(digits)}${units[unit]}`;
}

/** `12.3M`: bytes of memory, by 1024. */
export function size(bytes: number): string {
  return short(bytes, 1024, ["", "K", "M", "G", "T"]);
}

/** `12.3k`: bytes of traffic, by 1000. */
export function rate(bytes: number): string {
  return short(bytes, 1000, ["", "k", "M", "G", "T"]);
}

const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** `42s`, `7m`, `3h`, `12d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < MINUTE) return `${seconds}s`;
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)}m`;
  return seconds < 2 * DAY ? `${Math.floor(seconds / HOUR)}h` : `${Math.floor(seconds / DAY)}d`;
}
