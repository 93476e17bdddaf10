/** Words for sizes and durations, as Docker prints them (go-units). */

const DECIMAL = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

function scaled(size: number, base: number, units: readonly string[], digits: number): string {
  let value = size;
  let unit = 0;
  while (value >= base && unit < units.length - 1) {
    value /= base;
    unit++;
  }
  return `${Number(value.toPrecision(digits))}${units[unit]}`;
}

/** `1.984MB`; pass 3 digits for Docker's shorter form. */
export function humanSize(bytes: number, digits = 4): string {
  return scaled(bytes, 1000, DECIMAL, digits);
}

/** `3.875GiB`. */
export function binarySize(bytes: number): string {
  return scaled(bytes, 1024, BINARY, 4);
}

const MINUTE = 60;
const HOUR = 3600;

/** `About an hour`, `3 days`: a rounded duration in words. */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(ms / 1000);
  if (seconds < 1) return "Less than a second";
  if (seconds === 1) return "1 second";
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.trunc(seconds / MINUTE);
  if (minutes === 1) return "About a minute";
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.trunc(ms / 1000 / HOUR + 0.5);
  if (hours === 1) return "About an hour";
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.trunc(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.trunc(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.trunc(hours / 24 / 30)} months`;
  return `${Math.trunc(seconds / HOUR / 24 / 365)} years`;
}

/** `3 minutes ago` for Unix seconds. */
export function ago(unixSeconds: number, now = Date.now()): string {
  return `${humanDuration(now - unixSeconds * 1000)} ago`;
}

const two = (value: number) => String(value).padStart(2, "0");

function localParts(date: Date): { day: string; time: string; sign: string; zone: [string, string] } {
  const offset = -date.getTimezoneOffset();
  const size = Math.abs(offset);
  return {
    day: `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`,
    time: `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`,
    sign: offset < 0 ? "-" : "+",
    zone: [two(Math.trunc(size / 60)), two(size % 60)],
  };
}

/** Go's `time.Time.String()` of Unix seconds in the local zone: `2024-05-01 10:00:00 +0200 CEST`. */
export function goTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000);
  const { day, time, sign, zone } = localParts(date);
  return `${day} ${time} ${sign}${zone.join("")} ${zoneName(date, `${sign}${zone.join("")}`)}`;
}

function zoneName(date: Date, offset: string): string {
  if (offset === "+0000") return "UTC";
  const name = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" })
    .formatToParts(date)
    .find((part) => part.type === "timeZoneName")?.value;
  return name === undefined || name.startsWith("GMT") ? offset : name;
}

/** RFC 3339 in the local zone, seconds only. */
export function localRfc3339(unixSeconds: number): string {
  const { day, time, sign, zone } = localParts(new Date(unixSeconds * 1000));
  return `${day}T${time}${zone.join("") === "0000" ? "Z" : `${sign}${zone.join(":")}`}`;
}

/** `10.00%`. */
export function percentage(value: number): string {
  return `${value.toFixed(2)}%`;
}
