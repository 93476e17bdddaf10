/** Values as Go's libraries write and read them, which is how Docker has them in flags and Dockerfiles. */

const NANOSECONDS: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};
const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;
const LONGEST = 100;

/** Nanoseconds of a duration (`1m30s`, `500ms`, `-5s`, `0`); undefined when it is none (time.ParseDuration). */
export function parseGoDuration(text: string): number | undefined {
  const body = text.replace(/^[+-]/, "");
  if (body === "0") return 0;
  if (body === "" || body.length > LONGEST) return undefined;
  let total = 0;
  PART.lastIndex = 0;
  for (let at = 0; at < body.length; at = PART.lastIndex) {
    const [, amount, unit = ""] = PART.exec(body) ?? [];
    if (amount === undefined) return undefined;
    total += Number(amount) * (NANOSECONDS[unit] ?? 0);
  }
  return Math.round(text.startsWith("-") ? -total : total);
}

/** `1`, `t`, `true`, `0`, `F`, …; undefined for anything else (strconv.ParseBool). */
export function parseGoBoolean(text: string): boolean | undefined {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  return undefined;
}

/** How long something is kept, in milliseconds: as Go writes durations, or in days (`30d`). undefined: no such time. */
export function parseKeepTime(text: string): number | undefined {
  const days = /^(\d{1,5})d$/.exec(text)?.[1];
  const nanoseconds = parseGoDuration(days === undefined ? text : `${Number(days) * 24}h`);
  return nanoseconds === undefined || nanoseconds < 0 ? undefined : nanoseconds / 1e6;
}
